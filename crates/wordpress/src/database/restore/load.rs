//! Several connections that store rows at the same time.
//!
//! One thread reads and understands the dump, the others send. Rows of a table
//! without a primary key all go through one connection: the order in which they are
//! stored is their only order.

use super::options::TableWarning;
use crate::{
    Error, Result,
    database::{
        client::{Client, Refused},
        connection::Connection,
    },
    watch::Watch,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Bytes of statements that wait, at most (one statement more when it is larger).
const WAITING: usize = 16 * 1024 * 1024;
/// Statements in one transaction.
const BATCH: u32 = 32;
const POLL: Duration = Duration::from_millis(50);
/// The server gave a transaction up; it may be sent again.
const TRANSIENT: [u16; 2] = [1205, 1213];
const ATTEMPTS: u32 = 5;
/// Different warnings that are kept.
const WARNINGS: usize = 100;

/// Rows to store.
pub(super) struct Job {
    pub table: Arc<str>,
    /// What must be set before.
    pub session: Arc<str>,
    pub statement: Vec<u8>,
    pub rows: u64,
    /// The server must confirm as many rows.
    pub exact: bool,
    /// The one connection that must take it.
    pub pinned: Option<usize>,
}

/// What waits, and who works.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    watch: Watch,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    bytes: usize,
    /// Workers that hold a job or an open transaction.
    busy: usize,
    closed: bool,
    failed: Option<Error>,
    /// By table, number and text without the row.
    warnings: BTreeMap<(Arc<str>, u16, String), u64>,
}

impl Queue {
    pub fn new(watch: &Watch) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            watch: watch.clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A worker that panicked has failed; its state is still what it was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(state, POLL);
        waited.map_or_else(|why| why.into_inner().0, |(state, _)| state)
    }

    /// Hands a job on, once there is room.
    pub fn push(&self, job: Job) -> Result<()> {
        let mut state = self.state();
        loop {
            if let Some(why) = state.failed.take() {
                return Err(why);
            }
            self.watch.check()?;
            if state.jobs.is_empty() || state.bytes + job.statement.len() <= WAITING {
                break;
            }
            state = self.wait(state);
        }
        state.bytes += job.statement.len();
        state.jobs.push_back(job);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits until everything is stored and committed.
    pub fn settle(&self) -> Result<()> {
        let mut state = self.state();
        loop {
            if let Some(why) = state.failed.take() {
                return Err(why);
            }
            if state.jobs.is_empty() && state.busy == 0 {
                return Ok(());
            }
            self.watch.check()?;
            state = self.wait(state);
        }
    }

    /// Lets the workers end.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.jobs.clear();
        self.changed.notify_all();
    }

    /// What the server changed.
    pub fn warnings(&self) -> Vec<TableWarning> {
        let state = self.state();
        let list = state
            .warnings
            .iter()
            .map(|((table, code, text), count)| TableWarning {
                table: table.to_string(),
                code: *code,
                text: text.clone(),
                count: *count,
            });
        list.collect()
    }

    /// Works until the queue is closed.
    pub fn work(&self, number: usize, connection: &Connection) {
        let ended = Client::open(connection, &self.watch)
            .and_then(|client| Worker::new(self, number, client)?.run());
        if let Err(why) = ended {
            let mut state = self.state();
            state.failed.get_or_insert(why);
            self.changed.notify_all();
        }
    }

    /// The next job of a worker; `None` when there is none now.
    fn take(&self, number: usize, busy: bool) -> Option<Job> {
        let mut state = self.state();
        let at = state
            .jobs
            .iter()
            .position(|job| job.pinned.is_none_or(|pinned| pinned == number))?;
        let job = state.jobs.remove(at)?;
        state.bytes -= job.statement.len();
        state.busy += usize::from(!busy);
        self.changed.notify_all();
        Some(job)
    }

    /// Waits for a job; `false` at the end.
    fn wait_for_work(&self, number: usize) -> Result<bool> {
        let mut state = self.state();
        loop {
            if state.closed {
                return Ok(false);
            }
            let mine = |job: &Job| job.pinned.is_none_or(|pinned| pinned == number);
            if state.jobs.iter().any(mine) {
                return Ok(true);
            }
            self.watch.check()?;
            state = self.wait(state);
        }
    }

    fn rest(&self) {
        let mut state = self.state();
        state.busy = state.busy.saturating_sub(1);
        self.changed.notify_all();
    }

    fn warn(&self, table: &Arc<str>, found: Vec<(String, u16, String)>) {
        let mut state = self.state();
        for (_, code, text) in found {
            let text = text.split(" at row ").next().unwrap_or_default().to_owned();
            let key = (table.clone(), code, text);
            if state.warnings.len() < WARNINGS || state.warnings.contains_key(&key) {
                *state.warnings.entry(key).or_default() += 1;
            }
        }
    }
}

struct Worker<'a> {
    queue: &'a Queue,
    number: usize,
    client: Client,
    session: Arc<str>,
    busy: bool,
    uncommitted: u32,
}

impl<'a> Worker<'a> {
    fn new(queue: &'a Queue, number: usize, mut client: Client) -> Result<Self> {
        prepare(&mut client)?;
        client.run("SET SESSION autocommit = 0")?;
        Ok(Self {
            queue,
            number,
            client,
            session: Arc::from(""),
            busy: false,
            uncommitted: 0,
        })
    }

    fn run(&mut self) -> Result<()> {
        loop {
            if let Some(job) = self.queue.take(self.number, self.busy) {
                self.busy = true;
                self.store(&job)?;
                self.uncommitted += 1;
                if self.uncommitted >= BATCH {
                    self.commit()?;
                }
                continue;
            }
            self.commit()?;
            if std::mem::take(&mut self.busy) {
                self.queue.rest();
            }
            if !self.queue.wait_for_work(self.number)? {
                return Ok(());
            }
        }
    }

    fn commit(&mut self) -> Result<()> {
        if std::mem::take(&mut self.uncommitted) > 0 {
            self.client.run("COMMIT")?;
        }
        Ok(())
    }

    fn store(&mut self, job: &Job) -> Result<()> {
        if self.session != job.session {
            self.client.run(job.session.as_bytes())?;
            self.session = job.session.clone();
        }
        let mut attempt = 1;
        loop {
            match self.client.run(&job.statement) {
                Ok(()) => break,
                // Only what is not yet committed is lost with the transaction: sent
                // alone, that is this statement.
                Err(why)
                    if attempt < ATTEMPTS
                        && self.uncommitted == 0
                        && why.code.is_some_and(|code| TRANSIENT.contains(&code)) =>
                {
                    attempt += 1;
                }
                Err(why) => return Err(explained(job, why)),
            }
        }
        let stored = self.client.affected();
        if self.client.warnings() > 0 {
            let found = self.client.rows("SHOW WARNINGS")?;
            self.queue.warn(&job.table, found);
        }
        if job.exact && stored != job.rows {
            return Err(Error::Database(format!(
                "`{}`: {} rows were sent, the server stored {stored}",
                job.table, job.rows
            )));
        }
        Ok(())
    }
}

/// Settings under which tables are made and filled, whatever the dump says.
pub(super) fn prepare(client: &mut Client) -> Result<()> {
    client.run("SET SESSION foreign_key_checks = 0, unique_checks = 1")?;
    // Tables of old servers have row formats that strict mode refuses; a server that
    // does not know the variable has no such mode.
    let _ = client.run("SET SESSION innodb_strict_mode = 0");
    Ok(())
}

fn explained(job: &Job, why: Refused) -> Error {
    match why.error {
        Error::Database(text) if why.code.is_none() => Error::Database(format!(
            "`{}`: a statement of {} bytes broke the connection, which `max_allowed_packet` \
             may have ended: {text}",
            job.table,
            job.statement.len()
        )),
        Error::Database(text) => Error::Database(format!("`{}`: {text}", job.table)),
        other => other,
    }
}
