//! Connections as each database wants them.

use crate::{Error, Result};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, sqlx};
use std::time::Duration;

/// How long a statement waits for SQLite's one writer.
const BUSY: Duration = Duration::from_secs(10);
/// How long a caller waits for a free connection.
const ACQUIRE: Duration = Duration::from_secs(30);
const READERS: u32 = 8;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Access {
    Read,
    Write,
}

pub(crate) fn sqlite(url: &str, access: Access) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(if access == Access::Write { 1 } else { READERS })
        .min_connections(1)
        .acquire_timeout(ACQUIRE)
        // A file does not hang up: asking whether it is still there before each
        // statement would cost as much as the statement.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(BUSY)
                .foreign_keys(true);
            if access == Access::Read {
                options.pragma("query_only", "1")
            } else {
                options
            }
        });
    options
}

pub(crate) fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .sqlx_logging(false);
    options
}

pub(crate) async fn connect(options: ConnectOptions) -> Result<DatabaseConnection> {
    Database::connect(options).await.map_err(Error::Open)
}
