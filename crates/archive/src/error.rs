//! Why the archive could not do what was asked.

use object_store::client::{HttpError, HttpErrorKind};
use pressroom_base::Kind;
use std::{io, path::PathBuf};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What failed, named for the caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that may not become part of a key.
    #[error("`{0}` cannot be a name in the archive")]
    BadName(String),
    /// The store's configuration cannot be right.
    #[error("the object store cannot be used: {0}")]
    BadConfig(String),
    /// There is something under that key, and it is never overwritten.
    #[error("`{0}` exists already in the archive")]
    Exists(String),
    /// Nothing is there.
    #[error("there is no `{0}` in the archive")]
    NotFound(String),
    /// More bytes came than may be stored.
    #[error("the snapshot is larger than the {limit} bytes that may still be stored")]
    OverLimit {
        /// How many bytes it could have had.
        limit: u64,
    },
    /// The store has no space left.
    #[error("the object store is full")]
    Full,
    /// The caller's token was cancelled.
    #[error("the transfer was cancelled")]
    Cancelled,
    /// The bytes that were to be stored stopped coming.
    #[error("cannot read what was to be stored")]
    Input(#[source] io::Error),
    /// What arrived is not what the site says it sent.
    #[error("the archive arrived with another {what} than the site reports")]
    Differs {
        /// `size` or `hash`.
        what: &'static str,
    },
    /// A manifest that makes no sense.
    #[error("the manifest `{key}` cannot be read: {reason}")]
    BadManifest {
        /// Where it is.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A snapshot that is not in the store as its manifest says.
    #[error("the snapshot `{key}` is damaged: {reason}")]
    Damaged {
        /// The object.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The store does not accept the credentials, or not for this.
    #[error("the object store refuses access")]
    Denied(#[source] object_store::Error),
    /// The store was not reached, or stopped answering.
    #[error("the object store does not answer")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store answered with a failure of its own.
    #[error("the object store failed")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A directory of the archive cannot be used.
    #[error("cannot use `{}`", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// What the failure means to whoever asked.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::BadName(_) | Self::BadConfig(_) => Kind::Invalid,
            Self::Exists(_) | Self::Cancelled => Kind::Conflict,
            Self::NotFound(_) => Kind::NotFound,
            Self::OverLimit { .. } | Self::Full => Kind::Limited,
            Self::Unreachable(_) => Kind::Unreachable,
            Self::Input(_)
            | Self::Differs { .. }
            | Self::BadManifest { .. }
            | Self::Damaged { .. }
            | Self::Denied(_)
            | Self::Store(_) => Kind::Remote,
            Self::Directory { .. } => Kind::Internal,
        }
    }

    /// Whether the act may have happened although it failed.
    pub(crate) const fn is_unsure(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Store(_))
    }

    /// For [`io::Error`]s that have to pass through a reader.
    pub(crate) fn into_io(self) -> io::Error {
        let kind = match self {
            Self::NotFound(_) => io::ErrorKind::NotFound,
            Self::Cancelled => io::ErrorKind::Interrupted,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, self)
    }

    /// Takes an error of ours back out of an [`io::Error`].
    pub(crate) fn of_read(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(ours) => ours,
            Err(error) => Self::Store(Box::new(error)),
        }
    }

    /// What an error of the store crate means here. `key` names what was asked for.
    pub(crate) fn of_store(key: &str, error: object_store::Error) -> Self {
        use object_store::Error as Theirs;
        match error {
            Theirs::NotFound { .. } => Self::NotFound(key.to_owned()),
            Theirs::AlreadyExists { .. } => Self::Exists(key.to_owned()),
            // Reads carry the tag of the object they began with.
            Theirs::Precondition { .. } | Theirs::NotModified { .. } => Self::Damaged {
                key: key.to_owned(),
                reason: "it was replaced while it was read".to_owned(),
            },
            Theirs::PermissionDenied { .. } | Theirs::Unauthenticated { .. } => Self::Denied(error),
            error if is_full(&error) => Self::Full,
            error if is_silent(&error) => Self::Unreachable(Box::new(error)),
            error => Self::Store(Box::new(error)),
        }
    }
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

fn is_full(error: &object_store::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| {
            matches!(
                cause.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        })
}

fn is_silent(error: &object_store::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<HttpError>())
        .any(|cause| {
            matches!(
                cause.kind(),
                HttpErrorKind::Connect
                    | HttpErrorKind::Timeout
                    | HttpErrorKind::Request
                    | HttpErrorKind::Interrupted
            )
        })
}
