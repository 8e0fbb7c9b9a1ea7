//! Why the engine could not do something.

use pressroom_base::Epoch;
use std::{io, path::PathBuf};

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the engine could not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another worker with a higher epoch has been here.
    #[error("refused: epoch {ours} is older than {seen}, another worker took over")]
    Fenced {
        /// The caller's epoch.
        ours: Epoch,
        /// The highest epoch seen.
        seen: Epoch,
    },
    /// Another session holds the site's lock.
    #[error("another session is writing to this site")]
    Locked,
    /// The path is absolute, leaves the home, or passes a symbolic link.
    #[error("path `{0}` is not inside the site")]
    BadPath(String),
    /// A package or document is malformed or over a limit.
    #[error("{0}")]
    BadInput(String),
    /// Not there.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// Something that is not ours is in the way.
    #[error("`{0}` is not empty")]
    Occupied(String),
    /// A tree is not the one expected.
    #[error("`{path}` changed: expected tree {expected}, found {found}")]
    Changed {
        /// The directory, relative to the home.
        path: String,
        /// The hash expected.
        expected: String,
        /// The hash found, or `absent`.
        found: String,
    },
    /// The disk is full, or the user's quota is.
    #[error("no space left to {act} `{}`", path.display())]
    NoSpace {
        /// The verb, e.g. `write`.
        act: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// What was asked for would not fit on the disk.
    #[error("this needs {} MB on the disk, which has {} MB free", needed.div_ceil(1_000_000), free / 1_000_000)]
    NoRoom {
        /// Bytes, with what must stay free.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// There is no PHP that starts.
    #[error("{0}")]
    NoPhp(String),
    /// PHP was killed, or gave no answer of ours.
    #[error("{0}")]
    Php(String),
    /// The site's database did not answer or refused.
    #[error("the site's database failed: {0}")]
    Database(String),
    /// The caller's deadline passed.
    #[error("the deadline passed")]
    Deadline,
    /// The caller withdrew.
    #[error("cancelled")]
    Cancelled,
    /// The operating system refused.
    #[error("{act} `{}` failed", path.display())]
    Io {
        /// The verb, e.g. `create`.
        act: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// An operating system's refusal, a full disk told apart.
    pub fn io(act: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) {
            return Self::NoSpace { act, path };
        }
        Self::Io { act, path, source }
    }
}
