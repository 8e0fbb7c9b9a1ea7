//! The course of a restore: read and load under working names, exchange, look.

use super::{
    aside::aside_of,
    collations::Collations,
    exchange::Exchange,
    load::{Job, Queue, prepare},
    options::{
        LoadedTable, OtherTables, RestoreOptions, RestoreReport, Substitution, TableWarning,
    },
    record::{Move, Record, State},
    session::Sessions,
    statement::{Act, Made, Reader},
};
use crate::{
    Error, Result,
    config::Settings,
    database::{
        client::{Client, literal, quoted},
        connection::Connection,
        dump::{CLOSING, OPENING, ProgramKind, RelationKind, relations},
        sql::{Server, Splitter},
        working::{self, Run},
    },
    fence,
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// A larger statement is no dump's: no server would take it.
const LARGEST_STATEMENT: usize = 1024 * 1024 * 1024;
/// Bytes of views and programs that are held until the exchange.
const HELD: usize = 64 * 1024 * 1024;
/// The server stored something else than was sent.
const CHANGED: [u16; 6] = [1264, TRUNCATED, 1292, 1366, 1406, 1411];
const TRUNCATED: u16 = 1265;
const MOST_CONNECTIONS: usize = 8;
/// The fence is looked at once in this many bytes of rows.
const FENCE: u64 = 8 * 1024 * 1024;

/// Restores a dump of ours, of `mariadb-dump`, `mysqldump` or phpMyAdmin.
///
/// Tables are filled under working names while the site goes on with its own; then
/// one `RENAME TABLE` inside the fence puts all in place and the old ones aside. The
/// report's [`super::Aside`] is for [`super::drop_aside`] or [`super::take_back`].
/// Whatever fails before leaves the site's tables untouched, and after it everything
/// is taken back; a killed restore is for [`super::recover`].
///
/// # Errors
/// [`Error::BadInput`] names what in the dump is not run, or that it was cut off;
/// [`Error::Database`] what the server refused.
pub fn restore(
    home: &Home,
    epoch: Epoch,
    settings: &Settings,
    options: &RestoreOptions,
    input: &mut dyn Read,
    watch: &Watch,
) -> Result<RestoreReport> {
    let since = Instant::now();
    fence::check(home, epoch, watch)?;
    let connection = Connection::of(settings)?;
    let mut client = Client::open(&connection, watch)?;
    prepare(&mut client)?;
    let mut random = [0; 2];
    getrandom::fill(&mut random).map_err(|why| {
        Error::io(
            "read",
            "random bytes",
            std::io::Error::other(why.to_string()),
        )
    })?;
    let run = Run::new(connection.prefix(), epoch, u16::from_le_bytes(random));
    let mut record = Record::new(epoch, run.stem());
    let reader = reader(&mut client, &connection, options, run)?;
    let mut exchange = Exchange {
        home,
        epoch,
        watch,
        client: &mut client,
    };
    exchange.save(&record)?;
    let mut work = Work {
        options,
        reader,
        later: Vec::new(),
        made: Vec::new(),
        held: 0,
        rows: BTreeMap::new(),
        report: RestoreReport::default(),
    };
    let done = work
        .load(&mut exchange, &connection, input)
        .and_then(|()| work.put_in_place(&mut exchange, &mut record));
    if let Err(why) = done {
        // A worker that was overtaken must leave the rest to its successor.
        if !matches!(why, Error::Fenced { .. }) {
            give_up(home, epoch, &connection, &record).map_err(|other| {
                Error::Database(format!("{why}; and taking it back failed: {other}"))
            })?;
        }
        return Err(why);
    }
    let mut report = work.report;
    report.duration_ms = milliseconds(since.elapsed());
    Ok(report)
}

/// Brings everything back, also when the caller's own watch has ended.
fn give_up(home: &Home, epoch: Epoch, connection: &Connection, record: &Record) -> Result<()> {
    let watch = Watch::lasting(Duration::from_mins(2));
    let mut client = Client::open(connection, &watch)?;
    client.run("SET NAMES utf8mb4, sql_mode = ''")?;
    let mut exchange = Exchange {
        home,
        epoch,
        watch: &watch,
        client: &mut client,
    };
    match record.state {
        State::Loading => {
            exchange.drop_working(&record.stem, false)?;
        }
        _ => exchange.undo(record)?,
    }
    exchange.forget(record)
}

fn reader(
    client: &mut Client,
    connection: &Connection,
    options: &RestoreOptions,
    run: Run,
) -> Result<Reader> {
    let version: String = client.first("SELECT VERSION()")?.unwrap_or_default();
    let (major, minor, patch) = client.version();
    let engines: Vec<String> = client.rows(
        "SELECT ENGINE FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')",
    )?;
    Ok(Reader {
        server: Server {
            mariadb: version.to_ascii_lowercase().contains("mariadb"),
            version: u32::from(major) * 10_000 + u32::from(minor) * 100 + u32::from(patch),
        },
        database: connection.database().to_owned(),
        source: None,
        prefix: connection.prefix().to_owned(),
        others: options.others,
        run,
        collations: Collations::of(client)?,
        engines: engines
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect(),
        sessions: Sessions::default(),
        tables: BTreeMap::new(),
        counted: 0,
        engines_replaced: BTreeSet::new(),
        passed_over: BTreeSet::new(),
        definers_changed: 0,
    })
}

struct Work<'a> {
    options: &'a RestoreOptions,
    reader: Reader,
    /// Statements for real names, by table.
    later: Vec<(String, Vec<u8>)>,
    made: Vec<Made>,
    held: usize,
    rows: BTreeMap<String, u64>,
    report: RestoreReport,
}

impl Work<'_> {
    /// Reads the dump to its end; afterwards all tables stand under working names.
    fn load(
        &mut self,
        exchange: &mut Exchange,
        connection: &Connection,
        input: &mut dyn Read,
    ) -> Result<()> {
        let queue = Queue::new(exchange.watch);
        let connections = match self.options.connections {
            0 => thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 4)),
            count => count.min(MOST_CONNECTIONS),
        };
        thread::scope(|scope| {
            for number in 0..connections {
                let queue = &queue;
                scope.spawn(move || queue.work(number, connection));
            }
            let read = self
                .read(exchange, &queue, connections, input)
                .and_then(|()| queue.settle());
            queue.close();
            read
        })?;
        self.report.warnings = queue.warnings();
        if self.options.accept_changed_values {
            return Ok(());
        }
        for warning in &self.report.warnings {
            if CHANGED.contains(&warning.code) && !self.is_odd_member(exchange, warning)? {
                return Err(Error::Database(format!(
                    "the server changed values of `{}` to store them ({} times): {}",
                    warning.table, warning.count, warning.text
                )));
            }
        }
        Ok(())
    }

    /// Whether a value was "truncated" that is none of an `ENUM`'s or `SET`'s own: it
    /// is stored as the empty one that it was.
    fn is_odd_member(&self, exchange: &mut Exchange, warning: &TableWarning) -> Result<bool> {
        let Some(loading) = self.reader.tables.get(&warning.table) else {
            return Ok(false);
        };
        let column = warning.text.split('\'').nth(1).unwrap_or_default();
        let kind: Option<String> = exchange.client.first(format!(
            "SELECT DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() \
             AND TABLE_NAME = {} AND COLUMN_NAME = {}",
            literal(&loading.working),
            literal(column)
        ))?;
        Ok(warning.code == TRUNCATED && matches!(kind.as_deref(), Some("enum" | "set")))
    }

    fn read(
        &mut self,
        exchange: &mut Exchange,
        queue: &Queue,
        connections: usize,
        input: &mut dyn Read,
    ) -> Result<()> {
        let mut splitter = Splitter::new(input, LARGEST_STATEMENT);
        let mut set = String::new();
        let mut session: Arc<str> = Arc::from("");
        let mut unchecked = 0;
        while splitter.advance()? {
            if self.reader.source.is_none() {
                self.reader.source = source(splitter.opening());
            }
            let statement = splitter.statement();
            unchecked += statement.len() as u64;
            let shown = String::from_utf8_lossy(&statement[..statement.len().min(60)]).into_owned();
            let act = self.reader.understand(statement)?;
            let offset = splitter.offset();
            let near = |why: Error| match why {
                Error::Database(text) => Error::Database(format!(
                    "{text} (before byte {offset} of the dump, `{}`)",
                    shown.lines().next().unwrap_or_default()
                )),
                other => other,
            };
            if unchecked >= FENCE || !matches!(act, Act::Insert { .. } | Act::Nothing) {
                fence::check(exchange.home, exchange.epoch, exchange.watch)?;
                unchecked = 0;
            }
            match act {
                Act::Nothing => {}
                Act::Insert {
                    table,
                    statement,
                    rows,
                    exact,
                } => {
                    let now = self.reader.sessions.now.for_data()?;
                    if now != set {
                        session = Arc::from(now.as_str());
                        set = now;
                    }
                    *self.rows.entry(table.clone()).or_default() += rows;
                    let keyed = self.reader.tables.get(&table).is_some_and(|one| one.keyed);
                    queue.push(Job {
                        pinned: (!keyed).then_some(self.pin(&table, connections)),
                        table: Arc::from(table),
                        session: session.clone(),
                        statement,
                        rows,
                        exact,
                    })?;
                }
                Act::Create { table, rewritten } => {
                    exchange.client.run(self.reader.sessions.now.for_data()?)?;
                    exchange
                        .client
                        .run(&rewritten.now)
                        .map_err(|why| near(why.into()))?;
                    self.rows.entry(table.clone()).or_default();
                    self.keep_later(&table, rewritten.later)?;
                }
                Act::Alter { table, rewritten } => {
                    if !rewritten.now.is_empty() {
                        queue.settle()?;
                        exchange.client.run(self.reader.sessions.now.for_data()?)?;
                        exchange
                            .client
                            .run(&rewritten.now)
                            .map_err(|why| near(why.into()))?;
                    }
                    self.keep_later(&table, rewritten.later)?;
                }
                Act::Drop(tables) => {
                    queue.settle()?;
                    for table in tables {
                        if let Some(loading) = self.reader.tables.remove(&table) {
                            let name = quoted(&loading.working);
                            exchange
                                .client
                                .run(format!("DROP TABLE IF EXISTS {name}"))?;
                            self.rows.remove(&table);
                            self.later.retain(|(of, _)| *of != table);
                        }
                    }
                }
                Act::Program(made) => {
                    self.hold(made.statement.len())?;
                    self.made.push(made);
                }
            }
        }
        self.report.bytes = splitter.offset();
        check_whole(splitter.opening(), splitter.closing())
    }

    fn pin(&self, table: &str, connections: usize) -> usize {
        let before = self.reader.tables.keys().take_while(|name| *name != table);
        before.count() % connections
    }

    fn keep_later(&mut self, table: &str, later: Vec<Vec<u8>>) -> Result<()> {
        for statement in later {
            self.hold(statement.len())?;
            self.later.push((table.to_owned(), statement));
        }
        Ok(())
    }

    fn hold(&mut self, len: usize) -> Result<()> {
        self.held += len;
        if self.held > HELD {
            return Err(Error::BadInput(format!(
                "the views, programs and foreign keys of the dump are larger than {HELD} bytes"
            )));
        }
        Ok(())
    }

    fn put_in_place(&mut self, exchange: &mut Exchange, record: &mut Record) -> Result<()> {
        exchange
            .client
            .run("SET NAMES utf8mb4, sql_mode = '', time_zone = '+00:00'")?;
        self.verify_made(exchange)?;
        self.plan(exchange, record)?;
        exchange.prepare(record, &self.made)?;
        if record.moves.is_empty() && self.made.is_empty() {
            return Err(Error::BadInput("the dump holds no table".to_owned()));
        }
        let since = Instant::now();
        record.state = State::Exchanging;
        exchange.save(record)?;
        let later: Vec<Vec<u8>> = self
            .later
            .drain(..)
            .map(|(_, statement)| statement)
            .collect();
        exchange.exchange(record, &later, &self.made)?;
        exchange
            .client
            .run("SET NAMES utf8mb4, sql_mode = '', time_zone = '+00:00'")?;
        exchange.verify(record)?;
        record.state = State::Done;
        exchange.save(record)?;
        self.report.exchange_ms = milliseconds(since.elapsed());
        self.tell(record);
        Ok(())
    }

    /// Looks whether each table is there under its working name.
    fn verify_made(&mut self, exchange: &mut Exchange) -> Result<()> {
        exchange.watch.check()?;
        for (table, loading) in &self.reader.tables {
            let there: Option<u64> = exchange.client.first(format!(
                "SELECT COUNT(*) FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = {}",
                literal(&loading.working)
            ))?;
            if there != Some(1) {
                return Err(Error::Database(format!("`{table}` was not made")));
            }
        }
        Ok(())
    }

    /// Which names change hands.
    fn plan(&mut self, exchange: &mut Exchange, record: &mut Record) -> Result<()> {
        let live = relations(exchange.client)?;
        let views: BTreeSet<String> = self
            .made
            .iter()
            .filter(|made| made.kind.is_none())
            .map(|made| made.name.clone())
            .collect();
        if let Some(name) = views
            .iter()
            .find(|name| self.reader.tables.contains_key(*name))
        {
            return Err(Error::BadInput(format!(
                "`{name}` is a table and a view in the dump"
            )));
        }
        let mut names: BTreeSet<String> = views.clone();
        names.extend(self.reader.tables.keys().cloned());
        for relation in &live {
            if relation.name.starts_with(&self.reader.prefix)
                && working::parse(&relation.name).is_none()
                && !names.contains(&relation.name)
            {
                if self.options.remove_unknown {
                    names.insert(relation.name.clone());
                } else {
                    self.report.untouched.push(relation.name.clone());
                }
            }
        }
        for (number, name) in names.into_iter().enumerate() {
            let old = live.iter().find(|relation| relation.name == name);
            record.moves.push(Move {
                new: self.reader.tables.get(&name).map(|one| one.working.clone()),
                old: old.map(|_| self.reader.run.old_name(number, &name)),
                view: views.contains(&name),
                old_view: old.is_some_and(|old| old.kind == RelationKind::View),
                name,
            });
        }
        Ok(())
    }

    fn tell(&mut self, record: &Record) {
        let report = &mut self.report;
        report.tables = std::mem::take(&mut self.rows)
            .into_iter()
            .map(|(name, rows)| LoadedTable { name, rows })
            .collect();
        let mut programs: Vec<String> = Vec::new();
        for made in &self.made {
            let kind = made.kind.map_or("VIEW", ProgramKind::sql).to_lowercase();
            let shown = format!("{kind} {}", made.name);
            if !programs.contains(&shown) {
                programs.push(shown);
            }
        }
        report.programs = programs;
        report.aside = Some(aside_of(record));
        report.definers_changed = self.reader.definers_changed;
        report.collations = self
            .reader
            .collations
            .replaced()
            .map(|(from, to)| Substitution {
                from: from.clone(),
                to: to.clone(),
            })
            .collect();
        report.engines = self
            .reader
            .engines_replaced
            .iter()
            .map(|(from, to)| Substitution {
                from: from.clone(),
                to: to.clone(),
            })
            .collect();
        report.passed_over = self.reader.passed_over.iter().cloned().collect();
        if self.options.others == OtherTables::Restore {
            report.untouched.sort();
        }
    }
}

/// Dumps say at their end that they are whole; one that says so at its start and not
/// at its end was cut off between two statements.
fn check_whole(opening: &[u8], closing: &[u8]) -> Result<()> {
    let has = |text: &[u8], mark: &str| memchr::memmem::find(text, mark.as_bytes()).is_some();
    let marks = [
        (OPENING, CLOSING),
        ("-- MariaDB dump ", "-- Dump completed"),
        ("-- MySQL dump ", "-- Dump completed"),
    ];
    for (first, last) in marks {
        if has(opening, first) && !has(closing, last) {
            return Err(Error::BadInput(format!(
                "the dump was cut off: its last line should be `{last}`"
            )));
        }
    }
    Ok(())
}

/// The database that the head of a stock dump names.
fn source(opening: &[u8]) -> Option<String> {
    let comments = opening.split(|&byte| byte == b'\n');
    let host = comments
        .take_while(|line| line.is_empty() || line.starts_with(b"--") || line.starts_with(b"/*"))
        .find(|line| line.starts_with(b"-- Host: "))?;
    let at = memchr::memmem::find(host, b"Database: ")?;
    let name = std::str::from_utf8(&host[at + 10..]).ok()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
