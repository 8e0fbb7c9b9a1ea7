//! One connection that works for a restore point, and how its statements are run.

use super::record::Record;
use crate::{
    Error, Result,
    config::Settings,
    database::{
        client::{Client, Refused},
        connection::Connection,
        restore::exchange::Exchange,
    },
    fence,
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use std::time::Duration;

/// Who changes what.
pub(super) struct Work<'a> {
    pub home: &'a Home,
    pub epoch: Epoch,
    pub settings: &'a Settings,
    pub watch: &'a Watch,
    pub connection: Connection,
    pub client: Client,
    /// The point's; stands in each statement, so that recovery finds what a killed worker
    /// left running.
    pub stem: String,
}

impl<'a> Work<'a> {
    pub fn open(
        home: &'a Home,
        epoch: Epoch,
        settings: &'a Settings,
        stem: &str,
        watch: &'a Watch,
    ) -> Result<Self> {
        fence::check(home, epoch, watch)?;
        let connection = Connection::of(settings)?;
        let mut work = Self {
            client: Client::open(&connection, watch)?,
            home,
            epoch,
            settings,
            watch,
            connection,
            stem: stem.to_owned(),
        };
        work.session()?;
        Ok(work)
    }

    /// Sets the session up; again after something else set it otherwise.
    pub fn session(&mut self) -> Result<()> {
        self.client.run("SET NAMES utf8mb4")?;
        // Rows are copied as they are, valid or not. Nothing waits long for the site, and
        // reading takes no locks that anybody would wait for.
        self.client.run(
            "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', \
             time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 1, \
             lock_wait_timeout = 5, innodb_lock_wait_timeout = 5, sql_auto_is_null = 0, \
             character_set_results = binary",
        )?;
        // With a binary log of statements the server allows nothing less.
        let log = "SELECT @@log_bin AND @@binlog_format = 'STATEMENT'";
        let level = match self.client.first::<u8>(log) {
            Ok(Some(1)) => "REPEATABLE READ",
            _ => "READ COMMITTED",
        };
        self.client
            .run(format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}"))?;
        // A worker that is stopped with locks in its hands must not keep them. MySQL has no
        // such thing, and some servers reserve the other.
        let _ = self.client.run("SET SESSION idle_transaction_timeout = 60");
        let _ = self.client.run("SET SESSION innodb_strict_mode = 0");
        Ok(())
    }

    /// Runs a statement that may take long, outside the fence: on tables of ours only, or
    /// within a transaction.
    pub fn run(&mut self, statement: impl AsRef<[u8]>) -> Result<(), Refused> {
        self.client.run(self.marked(statement.as_ref()))
    }

    /// The same; how many rows it wrote.
    pub fn fill(&mut self, statement: &str) -> Result<u64, Refused> {
        self.run(statement)?;
        Ok(self.client.affected())
    }

    /// Runs a short statement inside the fence.
    pub fn act(&mut self, statement: impl AsRef<[u8]>) -> Result<(), Refused> {
        self.exchange().act(statement)
    }

    /// The same, content when there is nothing to remove.
    pub fn remove(&mut self, statement: impl AsRef<[u8]>) -> Result<()> {
        self.exchange().remove(statement)
    }

    /// Writes the record inside the fence.
    pub fn save(&self, record: &Record) -> Result<()> {
        fence::critical(self.home, self.epoch, self.watch, || record.save(self.home))
    }

    /// Forgets the record inside the fence.
    pub fn forget(&self, record: &Record) -> Result<()> {
        fence::critical(self.home, self.epoch, self.watch, || {
            record.remove(self.home)
        })
    }

    pub fn exchange(&mut self) -> Exchange<'_> {
        Exchange {
            home: self.home,
            epoch: self.epoch,
            watch: self.watch,
            stem: &self.stem,
            client: &mut self.client,
        }
    }

    /// The number in the only column of the only row.
    pub fn number(&mut self, query: &str) -> Result<u64, Refused> {
        let query = self.marked(query.as_bytes());
        Ok(self.client.first(query)?.unwrap_or(0))
    }

    /// With whose statement it is before it.
    pub fn marked(&self, statement: &[u8]) -> Vec<u8> {
        [format!("/* {} */ ", self.stem).as_bytes(), statement].concat()
    }

    /// A connection after this one, to clean up with when the watch has ended; whatever
    /// this one still runs is ended first.
    pub fn again<'b>(&self, watch: &'b Watch) -> Result<Work<'b>>
    where
        'a: 'b,
    {
        let mut next = Work::open(self.home, self.epoch, self.settings, &self.stem, watch)?;
        // It may have ended by itself.
        let _ = next.client.run(format!("KILL {}", self.client.id()));
        Ok(next)
    }
}

/// What cleaning up after a failure may take.
pub(super) fn last_watch() -> Watch {
    Watch::lasting(Duration::from_mins(2))
}

/// The record of a point that has what the caller needs.
pub(super) fn load(home: &Home, handle: &str) -> Result<Record> {
    use super::record::State;
    let record = Record::load(home, handle)?
        .ok_or_else(|| Error::Missing(format!("restore point {handle}")))?;
    match record.state {
        State::Taken | State::Sealing | State::Sealed => Ok(record),
        State::Taking => Err(Error::BadInput(format!(
            "restore point `{handle}` was never finished; take another one"
        ))),
        State::Dropping => Err(Error::BadInput(format!(
            "restore point `{handle}` is being dropped"
        ))),
    }
}
