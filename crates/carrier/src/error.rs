//! Why a site did not do what it was asked.

use crate::ssh;
use pressroom_agent::protocol::{Refusal, RefusalCode};
use pressroom_base::Kind;
use std::{io, ops::RangeInclusive, sync::Arc, time::Duration};

/// The carrier's result.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a site did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The agent could not be started.
    #[error("cannot start the agent `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something started, but it did not answer as an agent does.
    #[error("`{program}` did not answer as an agent: {why}")]
    NotAnAgent {
        /// The program.
        program: String,
        /// What it did instead, with the tail of what it printed.
        why: String,
    },
    /// The agent speaks other versions of the protocol.
    #[error("the agent speaks protocol versions {theirs:?}, this server {ours:?}")]
    Version {
        /// The agent's.
        theirs: RangeInclusive<u16>,
        /// Ours.
        ours: RangeInclusive<u16>,
    },
    /// The session ended before the answer: the agent died, or its host did.
    #[error("the session with the site ended: {why}")]
    Closed {
        /// How it ended, with the tail of what the agent printed.
        why: Arc<str>,
    },
    /// The agent answered that it did not do it.
    #[error("{refusal}")]
    Refused {
        /// The operation, `session` for the session as a whole.
        op: &'static str,
        /// Its words.
        refusal: Refusal,
    },
    /// Neither an answer nor a refusal came, well past the deadline.
    #[error("no answer to `{op}` within {} s", after.as_secs())]
    Timeout {
        /// The operation.
        op: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The host could not be asked, or cannot run the agent.
    #[error(transparent)]
    Ssh(#[from] Box<ssh::Error>),
    /// The session's cancellation token fired.
    #[error("cancelled")]
    Cancelled,
    /// The agent broke the protocol.
    #[error("the agent broke the protocol: {0}")]
    Protocol(String),
    /// The request is too large for a frame.
    #[error("the request `{op}` is too large: {bytes} bytes")]
    TooLarge {
        /// The operation.
        op: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// The package to send could not be read on our side.
    #[error("cannot read the package to send")]
    Package(#[source] io::Error),
    /// What the agent gave could not be written on our side.
    #[error("cannot write what the site sent")]
    Receive(#[source] io::Error),
}

impl From<ssh::Error> for Error {
    fn from(error: ssh::Error) -> Self {
        Self::Ssh(Box::new(error))
    }
}

impl Error {
    /// What the failure means to whoever asked.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Start { .. }
            | Self::NotAnAgent { .. }
            | Self::Closed { .. }
            | Self::Timeout { .. } => Kind::Unreachable,
            Self::Ssh(error) => error.kind(),
            Self::Version { .. } => Kind::Unsupported,
            Self::Protocol(_) => Kind::Remote,
            Self::Cancelled => Kind::Conflict,
            Self::TooLarge { .. } => Kind::Invalid,
            Self::Package(_) | Self::Receive(_) => Kind::Internal,
            Self::Refused { op, refusal } => match refusal.code {
                RefusalCode::Fenced
                | RefusalCode::Occupied
                | RefusalCode::Changed
                | RefusalCode::Cancelled => Kind::Conflict,
                RefusalCode::Locked | RefusalCode::Busy => Kind::Busy,
                RefusalCode::BadPath => Kind::Invalid,
                // What was sent is at fault, except where nothing much was.
                RefusalCode::BadInput => match *op {
                    "inspect" | "tree_hash" | "read_site" | "recover" | "bridge" => Kind::Remote,
                    _ => Kind::Invalid,
                },
                RefusalCode::Missing => Kind::NotFound,
                RefusalCode::NoSpace | RefusalCode::Php | RefusalCode::Io => Kind::Remote,
                RefusalCode::NoPhp | RefusalCode::Database | RefusalCode::Deadline => {
                    Kind::Unreachable
                }
                RefusalCode::Internal => Kind::Internal,
            },
        }
    }

    /// The host that shows another key than before, when it is that.
    pub const fn changed_host(&self) -> Option<&ssh::Address> {
        match self {
            Self::Ssh(error) => error.changed_host(),
            _ => None,
        }
    }

    /// The agent's refusal, when it is one.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// The refusal's code, when it is one.
    pub fn code(&self) -> Option<RefusalCode> {
        self.refusal().map(|refusal| refusal.code)
    }

    /// Whether another worker took over: nothing may be written or undone any more.
    pub fn is_fenced(&self) -> bool {
        self.code() == Some(RefusalCode::Fenced)
    }

    /// Whether the caller itself withdrew.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled) || self.code() == Some(RefusalCode::Cancelled)
    }
}
