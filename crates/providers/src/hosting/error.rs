//! Why this machine could not host something.

use pressroom_base::Kind;
use std::{io, path::Path, path::PathBuf, time::Duration};

/// The result of a hosting operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why this machine could not host something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program of the stack is not installed.
    #[error("`{program}` is not installed, install it with `apt-get install {package}`")]
    Missing {
        /// What was looked for.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The kind of isolation and the user who runs Pressroom do not go together.
    #[error("isolation by Unix users needs root, and root needs isolation by Unix users")]
    Isolation,
    /// A name that must not reach a command line, a statement or a file.
    #[error("`{name}` is not a valid {what}")]
    BadName {
        /// What it should name.
        what: &'static str,
        /// The name as given.
        name: String,
    },
    /// It exists already, and what exists is never adopted.
    #[error("the {what} `{name}` exists already")]
    Occupied {
        /// What exists.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// It exists, but Pressroom did not make it.
    #[error("the {what} `{name}` was not made by this Pressroom and is left alone")]
    NotOurs {
        /// What exists.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A directory is not empty and stays.
    #[error("`{0}` is not empty")]
    NotEmpty(PathBuf),
    /// Other users cannot pass a directory that they must pass.
    #[error("other users cannot enter `{0}`, allow it with `chmod o+x`")]
    NotTraversable(PathBuf),
    /// A daemon of the stack does not run.
    #[error("{daemon} does not answer, start it with `pressroom serve` or look into `{log}`")]
    Down {
        /// Which daemon.
        daemon: &'static str,
        /// Where it says why.
        log: PathBuf,
        /// The failed connection.
        #[source]
        source: Option<io::Error>,
    },
    /// A program was run and failed.
    #[error("`{program}` failed with {status}: {stderr}")]
    Command {
        /// The program.
        program: String,
        /// Exit status.
        status: String,
        /// The tail of what it printed.
        stderr: String,
    },
    /// A program could not be started.
    #[error("`{program}` could not be started")]
    Start {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The daemon's own check refused the configuration; the previous one is back.
    #[error("{daemon} refuses the configuration, nothing was changed: {message}")]
    Refused {
        /// Which daemon.
        daemon: &'static str,
        /// What it said.
        message: String,
    },
    /// The same, because of a file that Pressroom did not write.
    #[error(
        "{daemon} refuses the configuration because of `{file}`, which Pressroom did not write; nothing was changed, mend or remove that file: {message}"
    )]
    Foreign {
        /// Which daemon.
        daemon: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Pressroom was told to stop managing it.
    #[error("the {what} `{name}` was released and is left alone")]
    Released {
        /// What exists.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// This machine serves as many domains as it may.
    #[error(
        "this machine serves {0} domains, no more are allowed; raise `max_domains` or use another machine"
    )]
    Full(usize),
    /// A value of a site's description that cannot be served.
    #[error("{0}")]
    BadSite(String),
    /// A rename over the border of a file system.
    #[error("`{from}` and `{to}` are on different file systems, a home moves within one")]
    OtherFileSystem {
        /// Where it is.
        from: PathBuf,
        /// Where it should be.
        to: PathBuf,
    },
    /// MariaDB answered with an error.
    #[error("MariaDB could not {what}")]
    Database {
        /// The attempt.
        what: String,
        /// What MariaDB said.
        #[source]
        source: mysql_async::Error,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {} s", .after.as_secs())]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
    },
    /// Another process is changing the hosting stack.
    #[error("another process is changing the hosting stack, try again later")]
    Busy,
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
    pub fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. } | Self::Isolation => Kind::Unsupported,
            Self::BadName { .. } | Self::BadSite(_) => Kind::Invalid,
            Self::Occupied { .. }
            | Self::NotOurs { .. }
            | Self::NotEmpty(_)
            | Self::NotTraversable(_)
            | Self::Released { .. }
            | Self::Full(_)
            | Self::OtherFileSystem { .. } => Kind::Conflict,
            Self::Down { .. } | Self::Deadline { .. } => Kind::Unreachable,
            Self::Command { .. }
            | Self::Refused { .. }
            | Self::Foreign { .. }
            | Self::Database { .. } => Kind::Remote,
            Self::Busy => Kind::Busy,
            Self::Start { .. } | Self::Io { .. } => Kind::Internal,
        }
    }

    pub(crate) fn io(what: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { what, path, source }
    }
}
