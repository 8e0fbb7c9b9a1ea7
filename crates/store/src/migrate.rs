//! Bringing a database to this version, safely and once.

use crate::{
    Error, Result,
    connect::{Access, connect, postgres, sqlite},
    migrations::Migrator,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sea_orm_migration::MigratorTrait;
use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    str::FromStr,
};

/// The advisory lock that lets one process migrate at a time ("pressroo" in ASCII).
const LOCK: i64 = 0x7072_6573_7372_6f6f;

/// Migrates the database behind `url`, alone among all processes.
pub(crate) async fn run(url: &str) -> Result<()> {
    let alone = Alone::with(url).await?;
    let done = migrate(&alone.connection, alone.existing.as_deref()).await;
    alone.end().await?;
    done
}

/// How a database's schema differs from this version's, without changing anything:
/// migrations it lacks, and [`Error::Newer`] for one that is not known.
pub(crate) async fn pending(url: &str) -> Result<Vec<String>> {
    let connection = if url.starts_with("sqlite:") {
        connect(sqlite(url, Access::Read)).await?
    } else {
        connect(postgres(url, 1)).await?
    };
    let applied = crate::copy::applied(&connection).await?;
    connection.close().await?;
    let known: Vec<_> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    if let Some(unknown) = applied.iter().find(|name| !known.contains(name)) {
        return Err(Error::Newer {
            migration: unknown.clone(),
        });
    }
    Ok(known
        .into_iter()
        .filter(|name| !applied.contains(name))
        .collect())
}

/// A database whose schema no other process changes meanwhile.
pub(crate) struct Alone {
    /// The one connection.
    pub(crate) connection: DatabaseConnection,
    /// The file of a SQLite database that was there before.
    existing: Option<PathBuf>,
    /// Held until dropped; released by the kernel if this process dies.
    _lock: Option<File>,
}

impl Alone {
    /// Waits until nobody else is at it.
    pub(crate) async fn with(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            let path = file_of(url)?;
            let lock = path.clone();
            let lock = tokio::task::spawn_blocking(move || lock_beside(&lock))
                .await
                .map_err(|error| Error::Migrate(DbErr::Custom(error.to_string())))??;
            let existed = path.metadata().is_ok_and(|found| found.len() > 0);
            make_private(&path)?;
            Ok(Self {
                connection: connect(sqlite(url, Access::Write)).await?,
                existing: existed.then_some(path),
                _lock: Some(lock),
            })
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            // One connection, because the lock belongs to the connection.
            let connection = connect(postgres(url, 1)).await?;
            advisory(&connection, "pg_advisory_lock").await?;
            Ok(Self {
                connection,
                existing: None,
                _lock: None,
            })
        } else {
            Err(Error::BadUrl)
        }
    }

    /// Lets others in.
    pub(crate) async fn end(self) -> Result<()> {
        if self.connection.get_database_backend() == DbBackend::Postgres {
            advisory(&self.connection, "pg_advisory_unlock").await?;
        }
        Ok(self.connection.close().await?)
    }
}

async fn migrate(connection: &DatabaseConnection, existing: Option<&Path>) -> Result<()> {
    let known: Vec<String> = Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let applied: HashSet<String> = Migrator::get_migration_models(connection)
        .await
        .map_err(Error::Migrate)?
        .into_iter()
        .map(|model| model.version)
        .collect();
    if let Some(unknown) = applied.iter().filter(|name| !known.contains(name)).min() {
        return Err(Error::Newer {
            migration: unknown.clone(),
        });
    }
    if known.len() == applied.len() {
        return Ok(());
    }
    if let (Some(path), Some(newest)) = (existing, known.last())
        && !applied.is_empty()
    {
        copy(connection, path, newest).await?;
    }
    Migrator::up(connection, None).await.map_err(Error::Migrate)
}

/// `<db>.before-<version>`, complete even while others read (`VACUUM INTO` takes
/// the write-ahead log along). A copy that exists already is never overwritten: it
/// may be the only one from before a migration that failed half-way.
async fn copy(connection: &DatabaseConnection, path: &Path, version: &str) -> Result<()> {
    let mut target = beside(path, &format!(".before-{version}"));
    let mut count = 1;
    while target.exists() {
        count += 1;
        target = beside(path, &format!(".before-{version}-{count}"));
    }
    // An empty file of ours is accepted by `VACUUM INTO`, and nobody else reads it.
    make_private(&target)?;
    connection
        .execute_raw(Statement::from_sql_and_values(
            DbBackend::Sqlite,
            "VACUUM INTO $1",
            [target.to_string_lossy().into_owned().into()],
        ))
        .await
        .map_err(Error::Migrate)?;
    Ok(())
}

async fn advisory(connection: &DatabaseConnection, call: &str) -> Result<()> {
    connection
        .execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            format!("SELECT {call}($1)"),
            [LOCK.into()],
        ))
        .await
        .map_err(Error::Migrate)?;
    Ok(())
}

fn file_of(url: &str) -> Result<PathBuf> {
    let options =
        sea_orm::sqlx::sqlite::SqliteConnectOptions::from_str(url).map_err(|_| Error::BadUrl)?;
    Ok(options.get_filename().to_path_buf())
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn lock_beside(path: &Path) -> Result<File> {
    let path = beside(path, ".lock");
    let lock = make_private(&path)?;
    lock.lock().map_err(|source| Error::File { path, source })?;
    Ok(lock)
}

/// Makes sure that the file exists and, when it is new, that its owner alone reads it.
fn make_private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| Error::File {
        path: path.to_path_buf(),
        source,
    })
}
