//! Reads a dump to its end and fills tables under working names.

use super::{
    exchange::Exchange,
    load::{Job, Queue},
    options::TableWarning,
    run::Work,
    statement::Act,
};
use crate::{
    Error, Result,
    database::{
        client::{literal, quoted},
        connection::Connection,
        dump::{CLOSING, OPENING, columns},
        sql::Splitter,
    },
    fence,
};
use std::{io::Read, sync::Arc, thread};

/// A larger statement is no dump's: no server would take it.
const LARGEST_STATEMENT: usize = 1024 * 1024 * 1024;
/// Bytes of views and programs that are held until the exchange.
const HELD: usize = 64 * 1024 * 1024;
/// The server stored something else than was sent.
const CHANGED: [u16; 6] = [1264, TRUNCATED, 1292, 1366, 1406, 1411];
const TRUNCATED: u16 = 1265;
const MOST_CONNECTIONS: usize = 8;
/// Types for which a text and the same bytes are the same value.
const SAME_AS_BYTES: [&str; 28] = [
    "tinyint",
    "smallint",
    "mediumint",
    "int",
    "bigint",
    "decimal",
    "float",
    "double",
    "bit",
    "date",
    "time",
    "datetime",
    "timestamp",
    "year",
    "char",
    "varchar",
    "tinytext",
    "text",
    "mediumtext",
    "longtext",
    "binary",
    "varbinary",
    "tinyblob",
    "blob",
    "mediumblob",
    "longblob",
    "enum",
    "set",
];
/// The fence is looked at once in this many bytes of rows.
const FENCE: u64 = 8 * 1024 * 1024;

impl Work<'_> {
    /// Reads the dump to its end; afterwards all tables stand under working names.
    pub fn load(
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
        let mut ours = false;
        while splitter.advance()? {
            if self.reader.source.is_none() {
                self.reader.source = source(splitter.opening());
            }
            ours |= splitter.opening().starts_with(OPENING.as_bytes());
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
                    ascii,
                } => {
                    let loading = self.reader.tables.get(&table);
                    let bytes = ascii && loading.is_some_and(|one| one.bytes);
                    let now = self.reader.sessions.now.for_rows(bytes)?;
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
                    if ours {
                        self.look_at_columns(exchange, &table)?;
                    }
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

    /// Whether the rows of a table of ours may be sent as bytes: a dump of ours holds
    /// each text as its column stores it, or in hexadecimal. Some types read text
    /// and bytes differently; they, and what is not known, are sent as text.
    fn look_at_columns(&mut self, exchange: &mut Exchange, table: &str) -> Result<()> {
        if let Some(loading) = self.reader.tables.get_mut(table) {
            let columns = columns(exchange.client, &loading.working)?;
            loading.bytes = columns
                .iter()
                .all(|column| SAME_AS_BYTES.contains(&column.data_type.as_str()));
        }
        Ok(())
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
