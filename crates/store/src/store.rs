//! The door to the database: pools, transactions, the clock, the seal.

use crate::{
    Error, Result, Signal,
    connect::{Access, connect, postgres, sqlite},
    keys::Keys,
    migrate,
    signal::CHANNEL,
};
use pressroom_base::{Secret, Timestamp, keyring::Keyring};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait, sqlx,
};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{OnceCell, broadcast};

const POSTGRES_CONNECTIONS: u32 = 20;
/// How soon a commit of another process to the same SQLite file is heard of.
const FILE_LOOK: Duration = Duration::from_millis(50);

/// An open store; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    write: DatabaseConnection,
    read: DatabaseConnection,
    keys: Keys,
    signals: broadcast::Sender<Signal>,
    clock_offset_ms: AtomicI64,
}

/// Something that queries can be run on: a [`Store`], or a [`Tx`] to see what the
/// transaction has written.
pub trait Read: sealed::Sealed + Sync {
    /// The connection underneath.
    #[doc(hidden)]
    type Connection: ConnectionTrait;
    #[doc(hidden)]
    fn connection(&self) -> &Self::Connection;
    #[doc(hidden)]
    fn shared(&self) -> &Store;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Store {}
    impl Sealed for super::Tx {}
}

impl Read for Store {
    type Connection = DatabaseConnection;
    fn connection(&self) -> &DatabaseConnection {
        &self.0.read
    }
    fn shared(&self) -> &Store {
        self
    }
}

impl Store {
    /// Opens `sqlite:…` or `postgres:…` and migrates it. An existing SQLite
    /// database is copied beside itself before its first change.
    pub async fn open(url: &str, keyring: Keyring) -> Result<Self> {
        migrate::run(url).await?;
        let (write, read) = if url.starts_with("sqlite:") {
            let write = connect(sqlite(url, Access::Write)).await?;
            (write, connect(sqlite(url, Access::Read)).await?)
        } else {
            let both = connect(postgres(url, POSTGRES_CONNECTIONS)).await?;
            (both.clone(), both)
        };
        Ok(Self(Arc::new(Inner {
            write,
            read,
            keys: Keys::new(keyring),
            signals: broadcast::channel(4096).0,
            clock_offset_ms: AtomicI64::new(0),
        })))
    }

    /// The migrations that [`Store::open`] would apply to this database, which must be
    /// there; nothing is changed.
    ///
    /// Errors: it does not open; [`Error::Newer`].
    pub async fn pending_migrations(url: &str) -> Result<Vec<String>> {
        migrate::pending(url).await
    }

    /// Begins a transaction that may write. Dropped without [`Tx::commit`], it
    /// leaves nothing. On SQLite there is one at a time: never hold it across I/O
    /// to a site, and never begin a second one while holding it.
    pub async fn begin(&self) -> Result<Tx> {
        let options = TransactionOptions {
            sqlite_transaction_mode: self.is_sqlite().then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(Tx {
            inner: self.0.write.begin_with_options(options).await?,
            store: self.clone(),
            signals: Mutex::default(),
            now: OnceCell::new(),
        })
    }

    /// The time by the database's clock.
    pub async fn now(&self) -> Result<Timestamp> {
        now(self).await
    }

    /// Moves this store's idea of the database's clock, so that a test sees leases
    /// and windows run out without waiting for them.
    pub fn advance_clock(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.clock_offset_ms.fetch_add(by, Ordering::SeqCst);
    }

    /// Hints about changes committed by this process, and on PostgreSQL by others
    /// while [`Store::listen`] runs.
    pub fn signals(&self) -> broadcast::Receiver<Signal> {
        self.0.signals.subscribe()
    }

    /// Passes on other processes' signals until it is dropped. SQLite only tells that
    /// something was written: there whoever waits for a job looks whether there is one.
    pub async fn listen(&self) -> Result<()> {
        if self.is_sqlite() {
            return self.listen_to_file().await;
        }
        let pool = self.0.write.get_postgres_connection_pool();
        let failed = |error: sqlx::Error| {
            Error::Database(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(
                Arc::new(error),
            )))
        };
        let mut listener = sqlx::postgres::PgListener::connect_with(pool)
            .await
            .map_err(failed)?;
        listener.listen(CHANNEL).await.map_err(failed)?;
        loop {
            let notice = listener.recv().await.map_err(failed)?;
            if let Some(signal) = Signal::parse(notice.payload()) {
                self.send(signal);
            }
        }
    }

    /// Looks at the counter that rises with every commit of another connection; that is
    /// a look at one page in memory.
    async fn listen_to_file(&self) -> Result<()> {
        let failed = |error: sqlx::Error| {
            Error::Database(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(
                Arc::new(error),
            )))
        };
        let pool = self.0.read.get_sqlite_connection_pool();
        // The counter means something within one connection alone.
        let mut connection = pool.acquire().await.map_err(failed)?;
        let mut last = None;
        loop {
            let now: i64 = sqlx::query_scalar("PRAGMA data_version")
                .fetch_one(&mut *connection)
                .await
                .map_err(failed)?;
            if last.replace(now).is_some_and(|last| last != now) {
                self.send(Signal::Queued);
            }
            tokio::time::sleep(FILE_LOOK).await;
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.0.write.ping().await?;
        Ok(self.0.read.ping().await?)
    }

    /// Closes all connections. Transactions still open elsewhere fail.
    pub async fn close(&self) -> Result<()> {
        self.0.read.close_by_ref().await?;
        self.0.write.close_by_ref().await?;
        Ok(())
    }

    /// Seals a secret for one place, e.g. `environments.db_password/wp_2f68`.
    pub fn seal(&self, place: &str, plain: &Secret<String>) -> String {
        self.keyring().seal(place, plain)
    }

    /// Opens what was sealed for the same place.
    pub fn unseal(&self, place: &str, sealed: &str) -> Result<Secret<String>> {
        self.0.keys.open(place, sealed).map_err(Error::Sealed)
    }

    /// A key for one use, derived from the one that seals; see [`Keyring::derive`].
    pub fn derived_key(&self, label: &str) -> Secret<[u8; 32]> {
        self.keyring().derive(label)
    }

    /// The same of every key there is, the newest first.
    pub fn derived_keys(&self, label: &str) -> Vec<Secret<[u8; 32]>> {
        self.keyring().derive_each(label)
    }

    /// Where the keys are kept: when something does not open, they are read from there
    /// again, since they may have been exchanged.
    pub fn keep_keys_in(&self, file: &Path) {
        self.0.keys.keep_in(file);
    }

    /// Reads the keys again if they were exchanged; whether they were.
    ///
    /// Errors: their file cannot be read, or holds none; those that were known stay.
    pub fn look_for_keys(&self) -> std::io::Result<bool> {
        self.0.keys.look_again()
    }

    /// The keys as they are known now.
    pub(crate) fn keyring(&self) -> Keyring {
        self.0.keys.current()
    }

    /// Tells watchers in this process.
    pub(crate) fn send(&self, signal: Signal) {
        // Nobody listening is no failure.
        let _ = self.0.signals.send(signal);
    }

    /// What is only read from.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.0.read
    }

    /// What a single changing statement is run on; several belong into [`Store::begin`].
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.0.write
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.0.write.get_database_backend() == DbBackend::Sqlite
    }

    /// SQL for the present instant in milliseconds. PostgreSQL's `now()` would be
    /// the transaction's start; a lease needs the real time.
    pub(crate) fn clock(&self) -> String {
        let offset = self.0.clock_offset_ms.load(Ordering::SeqCst);
        if self.is_sqlite() {
            format!("(CAST(unixepoch('subsec') * 1000 AS INTEGER) + {offset})")
        } else {
            format!("(CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + {offset})")
        }
    }

    /// The clause that locks a selected row; SQLite has but one writer.
    pub(crate) fn lock_clause(&self, clause: &'static str) -> &'static str {
        if self.is_sqlite() { "" } else { clause }
    }
}

/// A transaction that may write.
pub struct Tx {
    inner: DatabaseTransaction,
    store: Store,
    signals: Mutex<Vec<Signal>>,
    now: OnceCell<Timestamp>,
}

impl Read for Tx {
    type Connection = DatabaseTransaction;
    fn connection(&self) -> &DatabaseTransaction {
        &self.inner
    }
    fn shared(&self) -> &Store {
        &self.store
    }
}

impl Tx {
    /// Makes everything written permanent, then tells whoever waits for it.
    pub async fn commit(self) -> Result<()> {
        let mut signals = self
            .signals
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        signals.dedup();
        if !self.store.is_sqlite() {
            for payload in signals.iter().filter_map(|signal| signal.payload()) {
                self.inner
                    .execute_raw(Statement::from_sql_and_values(
                        DbBackend::Postgres,
                        "SELECT pg_notify($1, $2)",
                        [CHANNEL.into(), payload.into()],
                    ))
                    .await?;
            }
        }
        self.inner.commit().await?;
        for signal in signals {
            self.store.send(signal);
        }
        Ok(())
    }

    /// Takes everything back; dropping does the same a little later.
    pub async fn rollback(self) -> Result<()> {
        Ok(self.inner.rollback().await?)
    }

    /// One instant for the whole transaction, by the database's clock.
    pub async fn now(&self) -> Result<Timestamp> {
        self.now.get_or_try_init(|| now(self)).await.copied()
    }

    /// The store this transaction belongs to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Tells watchers once the transaction is committed.
    pub fn signal(&self, signal: Signal) {
        self.signals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(signal);
    }
}

async fn now(from: &impl Read) -> Result<Timestamp> {
    let connection = from.connection();
    let sql = format!("SELECT {} AS now", from.shared().clock());
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection
        .query_one_raw(statement)
        .await?
        .ok_or(Error::Corrupt { place: "now" })?;
    Ok(Timestamp::from_millis(row.try_get("", "now")?))
}
