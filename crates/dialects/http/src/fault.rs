//! Why a request was not answered as asked. Each dialect renders all of these in its
//! own words, in one function.

use pressroom_fleet::Error;
use std::time::Duration;

/// A refused or failed request.
#[derive(Debug)]
pub enum Fault {
    /// A use case refused or failed.
    UseCase(Error),
    /// There is no credential.
    NoCredential,
    /// The credential is not one of ours, or no longer.
    BadCredential,
    /// The credential's scopes do not cover this route.
    OutOfScope,
    /// The request is not what the contract describes; the text says where.
    Malformed(String),
    /// The body is not JSON.
    InvalidJson,
    /// A member of the body has the wrong type or value.
    Member {
        /// Its path, e.g. `plugins[3]`.
        path: String,
        /// What is wrong with it, e.g. `expected a string`.
        problem: String,
    },
    /// The body is longer than the route takes.
    BodyTooLarge {
        /// Bytes it takes.
        limit: usize,
    },
    /// A body of which neither its length is told nor that it comes in pieces.
    LengthRequired,
    /// The body is of a kind that the route does not take.
    UnsupportedMedia,
    /// No such path.
    NoRoute,
    /// The path exists, with these methods.
    MethodNotAllowed {
        /// Value of `Allow`.
        allow: String,
    },
    /// Too many requests.
    Limited {
        /// When to come back.
        retry_after: Duration,
    },
    /// The idempotency key came before, with another request.
    KeyReused,
    /// The first request with this idempotency key is still running.
    KeyInProgress,
    /// A handler panicked; the log has it under the request's reference.
    Panicked,
}

impl Fault {
    /// Whether the same request may well succeed later, so that its answer is not to
    /// be kept for an idempotency key.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::UseCase(error) => error.kind().is_transient(),
            Self::Limited { .. } | Self::KeyInProgress | Self::Panicked => true,
            _ => false,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::UseCase(error)
    }
}
