//! Why the store could not do what was asked.

use pressroom_base::{Kind, keyring};
use sea_orm::{DbErr, SqlErr};
use std::path::PathBuf;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What failed, named for the caller.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is neither `sqlite://…` nor `postgres://…`.
    #[error("the database address must begin with `sqlite:` or `postgres:`")]
    BadUrl,
    /// The database did not open.
    #[error("cannot open the database")]
    Open(#[source] DbErr),
    /// A file beside the database could not be made.
    #[error("cannot write `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A newer Pressroom has migrated this database already.
    #[error(
        "the database was written by a newer version of Pressroom (it has the migration `{migration}`): use that version, or restore a copy made before the upgrade"
    )]
    Newer {
        /// The first migration that this version does not know.
        migration: String,
    },
    /// A copy cannot be written, or is none that can be loaded.
    #[error("the copy cannot be used: {0}")]
    Copy(String),
    /// A copy is only loaded where nothing would be lost.
    #[error("the database is not empty: there are rows in `{table}`")]
    NotEmpty {
        /// One of the tables.
        table: String,
    },
    /// A migration failed; nothing of it was kept.
    #[error("cannot migrate the database")]
    Migrate(#[source] DbErr),
    /// The thing exists already.
    #[error("that {what} exists already")]
    Exists {
        /// The noun.
        what: &'static str,
    },
    /// Other things still depend on it.
    #[error("that {what} is still in use")]
    InUse {
        /// The noun.
        what: &'static str,
    },
    /// It would lead back to itself.
    #[error("that {what} would lead back to itself")]
    Cycle {
        /// The noun.
        what: &'static str,
    },
    /// No such thing.
    #[error("no such {what}")]
    NotFound {
        /// The noun.
        what: &'static str,
    },
    /// The job belongs to another worker now, or is over.
    #[error("the job is no longer this worker's")]
    LostLease,
    /// A value in the database cannot be what it is.
    #[error("the database holds a value that makes no sense in `{place}`")]
    Corrupt {
        /// Table and column.
        place: &'static str,
    },
    /// A sealed value did not open.
    #[error("cannot open a stored secret")]
    Sealed(#[source] keyring::Error),
    /// The database refused or failed.
    #[error("the database failed")]
    Database(#[source] DbErr),
}

impl Error {
    /// What the failure means to whoever asked.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Exists { .. } | Self::InUse { .. } | Self::LostLease | Self::NotEmpty { .. } => {
                Kind::Conflict
            }
            Self::Cycle { .. } | Self::Copy(_) => Kind::Invalid,
            Self::NotFound { .. } => Kind::NotFound,
            _ => Kind::Internal,
        }
    }

    /// Whether the job's lease was lost.
    pub fn is_lost_lease(&self) -> bool {
        matches!(self, Self::LostLease)
    }

    /// Reads a broken unique rule as "exists" and a broken reference as "in use".
    pub(crate) fn of(what: &'static str) -> impl Fn(DbErr) -> Self {
        move |error| match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Exists { what },
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Self::InUse { what },
            _ => Self::Database(error),
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}
