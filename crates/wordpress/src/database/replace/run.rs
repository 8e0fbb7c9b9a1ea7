//! The whole run: look, divide, work side by side, look again.

use super::{
    charset,
    domains::Domains,
    job::Job,
    options::{ColumnReport, ReplaceOptions, ReplaceReport, TableReport},
    plan,
    progress::{Figures, Journal},
    schema,
    sql::Filter,
    table::{Column, Range, Table},
    verify, work,
};
use crate::{
    Error, Result,
    config::Settings,
    database::connection::{self, Connection},
    fence,
    home::Home,
    watch::Watch,
};
use mysql_async::{Conn, prelude::Queryable};
use pressroom_base::Epoch;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Side by side: one reads and writes while the server searches for another.
const CONNECTIONS: u8 = 3;

/// Replaces texts in a site's tables, or counts what would be replaced.
///
/// A run that writes needs an epoch and has taken the fence before
/// ([`fence::take`]); it writes in transactions of a few megabytes, each committed
/// inside the fence, and a row only while it holds what was read. Memory is bounded by a
/// few batches, or the largest rows. Fails with [`Error::BadInput`] for options that
/// make no sense, [`Error::Database`] for a server that refuses; what was written before
/// stays, and calling again with the same options brings the tables to the same rows
/// as a run without the failure.
pub fn search_replace(
    home: &Home,
    epoch: Option<Epoch>,
    settings: &Settings,
    options: &ReplaceOptions,
    watch: &Watch,
) -> Result<ReplaceReport> {
    options.check()?;
    let replacer = options.replacer(&options.pairs)?;
    let words: Vec<_> = options
        .pairs
        .iter()
        .filter(|pair| !Domains::speaks(pair) && pair.old != pair.new)
        .collect();
    let words = if words.is_empty() {
        None
    } else {
        Some(options.replacer(words)?)
    };
    let domains = Domains::new(&options.pairs);
    let epoch = match (options.dry_run, epoch) {
        (true, _) => None,
        (false, Some(epoch)) => Some(epoch),
        (false, None) => {
            return Err(Error::BadInput(
                "a run that writes needs an epoch".to_owned(),
            ));
        }
    };
    if let Some(epoch) = epoch {
        fence::check(home, epoch, watch)?;
    }
    let connection = Connection::of(settings)?;
    let (tables, mut ranges, server) = connection::run(watch, async {
        let (mut conn, server) = open(&connection).await?;
        let spoken = charset::spoken(settings, &server.charset);
        let tables = schema::tables(&mut conn, connection.prefix(), &spoken, options).await?;
        let ranges = plan::ranges(&mut conn, &tables).await?;
        conn.disconnect().await?;
        Ok((tables, ranges, server))
    })?;

    // Pairs that settle need no journal: what is done twice is done once.
    let journal = epoch
        .filter(|_| !replacer.settles())
        .map(|epoch| Journal::new(home, epoch, watch));
    let mut resumed = false;
    if let Some(journal) = &journal {
        if let Some(begun) = journal.begun(options)? {
            resumed = true;
            ranges = resumable(begun, ranges, &tables);
        }
        journal.begin(options, &ranges)?;
    }
    let filter = Filter::new(&replacer, server.mariadb);
    let stop = AtomicBool::new(false);
    let job = Job {
        home,
        watch,
        epoch,
        tables: &tables,
        replacer: &replacer,
        words: words.as_ref(),
        domains: &domains,
        filter: &filter,
        packet: server.packet,
        journal: journal.as_ref(),
        stop: &stop,
    };
    let connections = usize::from(match options.connections {
        0 => CONNECTIONS,
        some => some,
    });
    let mut report = frame(&tables, options);
    report.resumed = resumed;
    let figures = side_by_side(
        &connection,
        watch,
        &stop,
        connections,
        ranges.len(),
        async |number, conn: &mut Conn| {
            let range = &ranges[number];
            // A table that vanished since keeps its number and has nothing to do.
            if range.table == usize::MAX {
                return Ok(Figures::default());
            }
            work::range(&job, conn, number, range).await
        },
    )?;
    for (range, figures) in ranges.iter().zip(figures) {
        if let Some(table) = report.tables.get_mut(range.table) {
            add(table, figures);
        }
    }
    look(&connection, &job, &ranges, &mut report, connections)?;
    for table in &report.tables {
        report.rows += table.rows;
        for column in &table.columns {
            report.replacements += column.replacements;
            report.broken += column.broken;
            report.failed += column.failed;
        }
    }
    if let Some(journal) = &journal {
        journal.end()?;
    }
    Ok(report)
}

/// What matters of a server.
struct Server {
    mariadb: bool,
    packet: usize,
    /// The character set that a connection has before it says anything.
    charset: String,
}

/// Opens a connection on which bytes are bytes and nothing is bent to fit.
async fn open(connection: &Connection) -> Result<(Conn, Server)> {
    let mut conn = connection.open().await?;
    conn.query_drop("SET NAMES binary").await?;
    // Strict, so that a text too long is an error and not half a text; without rules
    // on dates, which are none of ours.
    conn.query_drop(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
         time_zone = '+00:00', innodb_lock_wait_timeout = 10",
    )
    .await?;
    let said: Option<(Vec<u8>, u64, Vec<u8>)> = conn
        .query_first("SELECT VERSION(), @@max_allowed_packet, @@GLOBAL.character_set_server")
        .await?;
    let (version, packet, charset) = said.unwrap_or_default();
    let mariadb = String::from_utf8_lossy(&version).contains("MariaDB");
    if mariadb {
        conn.query_drop("SET SESSION default_regex_flags = ''")
            .await?;
    }
    let packet = usize::try_from(packet).unwrap_or(usize::MAX);
    let server = Server {
        mariadb,
        packet,
        charset: String::from_utf8_lossy(&charset).into_owned(),
    };
    Ok((conn, server))
}

/// The ranges of an interrupted run by their numbers, and those of tables that are new
/// since.
fn resumable(begun: Vec<Range>, fresh: Vec<Range>, tables: &[Table]) -> Vec<Range> {
    let mut ranges: Vec<Range> = begun
        .into_iter()
        .map(|range| {
            let found = tables.iter().position(|table| {
                table.name == range.name && table.skipped.is_none() && !table.columns.is_empty()
            });
            Range {
                table: found.unwrap_or(usize::MAX),
                ..range
            }
        })
        .collect();
    let known: Vec<String> = ranges.iter().map(|range| range.name.clone()).collect();
    ranges.extend(
        fresh
            .into_iter()
            .filter(|range| !known.contains(&range.name)),
    );
    ranges
}

/// Hands numbers below `count` to workers with a connection each; their answers in
/// order, or the first failure.
fn side_by_side<T: Send>(
    connection: &Connection,
    watch: &Watch,
    stop: &AtomicBool,
    connections: usize,
    count: usize,
    work: impl AsyncFn(usize, &mut Conn) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let answers: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::new());
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..connections.min(count) {
            scope.spawn(|| {
                let ended = connection::run(watch, async {
                    let (mut conn, _) = open(connection).await?;
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count || stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let answer = work(number, &mut conn).await?;
                        answers
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push((number, answer));
                    }
                    conn.disconnect().await?;
                    Ok(())
                });
                if let Err(why) = ended {
                    let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                    // What the others say after that is only that they were stopped.
                    if !stop.swap(true, Ordering::Relaxed) || failure.is_none() {
                        *failure = Some(why);
                    }
                }
            });
        }
    });
    if let Some(why) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(why);
    }
    let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    answers.sort_by_key(|(number, _)| *number);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// The report of a run that has done nothing yet.
fn frame(tables: &[Table], options: &ReplaceOptions) -> ReplaceReport {
    let column = |name: &str, skipped: Option<&str>| ColumnReport {
        name: name.to_owned(),
        skipped: skipped.map(str::to_owned),
        ..ColumnReport::default()
    };
    ReplaceReport {
        dry_run: options.dry_run,
        tables: tables
            .iter()
            .map(|table| TableReport {
                name: table.name.clone(),
                transactional: table.transactional,
                skipped: table.skipped.map(str::to_owned),
                columns: table
                    .columns
                    .iter()
                    .map(|found| column(&found.name, table.skipped))
                    .chain(
                        table
                            .left
                            .iter()
                            .map(|(left, why)| column(&left.name, Some(why))),
                    )
                    .collect(),
                ..TableReport::default()
            })
            .collect(),
        ..ReplaceReport::default()
    }
}

fn add(table: &mut TableReport, figures: Figures) {
    table.rows += figures.rows;
    for more in figures.columns {
        let Some(column) = table
            .columns
            .iter_mut()
            .find(|column| column.name == more.name)
        else {
            continue;
        };
        column.rows += more.rows;
        column.replacements += more.replacements;
        column.broken += more.broken;
        column.failed += more.failed;
        column.left += more.left;
        column.broken_keys.extend(more.broken_keys);
        column.broken_keys.truncate(10);
        column.failures.extend(more.failures);
        column.failures.truncate(10);
    }
}

/// Counts what the server still finds: after a real run everywhere, else only where
/// nothing was looked at.
fn look(
    connection: &Connection,
    job: &Job<'_>,
    ranges: &[Range],
    report: &mut ReplaceReport,
    connections: usize,
) -> Result<()> {
    // Tables that are left as a whole have no range.
    let mut ranges: Vec<Range> = ranges
        .iter()
        .filter(|range| range.table != usize::MAX)
        .cloned()
        .collect();
    for (at, table) in job.tables.iter().enumerate() {
        if ranges.iter().all(|range| range.table != at) {
            ranges.push(Range {
                table: at,
                name: table.name.clone(),
                ..Range::default()
            });
        }
    }
    let columns: Vec<Vec<&Column>> = job
        .tables
        .iter()
        .zip(&report.tables)
        .map(|(table, report)| {
            let of = |wanted: bool| {
                report
                    .columns
                    .iter()
                    .filter(move |column| wanted || column.skipped.is_some())
            };
            of(job.epoch.is_some())
                .filter_map(|column| {
                    let left = table.left.iter().map(|(left, _)| left);
                    let mut found = table.columns.iter().chain(left);
                    found.find(|found| found.name == column.name)
                })
                .collect()
        })
        .collect();
    let ranges = &ranges;
    let columns = &columns;
    let counts = side_by_side(
        connection,
        job.watch,
        job.stop,
        connections,
        ranges.len(),
        async |number, conn: &mut Conn| {
            let range = &ranges[number];
            let table = &job.tables[range.table];
            verify::holding(conn, table, range, &columns[range.table], job.filter).await
        },
    )?;
    for (range, counts) in ranges.iter().zip(counts) {
        for (looked_at, count) in columns[range.table].iter().zip(counts) {
            let reports = &mut report.tables[range.table].columns;
            if let Some(column) = reports
                .iter_mut()
                .find(|column| column.name == looked_at.name)
            {
                *column.remaining.get_or_insert(0) += count;
            }
        }
    }
    if job.epoch.is_some() {
        let as_expected = report
            .tables
            .iter()
            .flat_map(|table| &table.columns)
            .all(|column| column.skipped.is_some() || column.remaining == Some(column.left));
        report.verified = Some(as_expected);
    }
    Ok(())
}
