//! Why a package could not be had.

use super::PackageKind;
use crate::outgoing;
use pressroom_base::Kind;
use std::{io, path::Path, path::PathBuf};

/// The result of a package operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a package could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No source has it.
    #[error("no package source has {kind} `{slug}`{}", .version.as_ref().map(|version| format!(" {version}")).unwrap_or_default())]
    NotFound {
        /// What was asked for.
        kind: PackageKind,
        /// Its slug.
        slug: String,
        /// The version, when a certain one was asked for.
        version: Option<String>,
    },
    /// A slug, version or locale that could leave a directory or a URL's path.
    #[error("`{name}` is not a valid {what}")]
    BadName {
        /// What it should name.
        what: &'static str,
        /// The name as given.
        name: String,
    },
    /// The archive is not what it should be.
    #[error("the package `{name}` is damaged or not what it says: {message}")]
    Damaged {
        /// File or URL.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// The source could not be asked.
    #[error("could not ask the package source")]
    Source(#[from] outgoing::Error),
    /// The source answered, but not with what its API promises.
    #[error("the package source answered `{url}` with {message}")]
    Answer {
        /// What was asked.
        url: String,
        /// What came.
        message: String,
    },
    /// The file system refused.
    #[error("could not {what} `{path}`")]
    Io {
        /// The attempt.
        what: &'static str,
        /// The path.
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
            Self::NotFound { .. } => Kind::NotFound,
            Self::BadName { .. } => Kind::Invalid,
            Self::Damaged { .. } | Self::Answer { .. } => Kind::Remote,
            Self::Source(error) => match error {
                outgoing::Error::Unreachable { .. } => Kind::Unreachable,
                outgoing::Error::Private(_) => Kind::Forbidden,
                _ => Kind::Remote,
            },
            Self::Io { .. } => Kind::Internal,
        }
    }

    /// Whether what was asked for is at fault: an archive that is none, an address that may
    /// not be asked.
    pub const fn blames_request(&self) -> bool {
        matches!(
            self,
            Self::BadName { .. }
                | Self::Damaged { .. }
                | Self::Source(
                    outgoing::Error::Private(_)
                        | outgoing::Error::Scheme(_)
                        | outgoing::Error::Redirects(_)
                        | outgoing::Error::TooLarge { .. }
                )
        )
    }

    pub(super) fn io(what: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { what, path, source }
    }
}
