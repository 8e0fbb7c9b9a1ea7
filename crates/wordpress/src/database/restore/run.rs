//! The course of a restore: read and load under working names, exchange, look.

use super::{
    aside::aside_of,
    collations::Collations,
    exchange::Exchange,
    load::prepare,
    options::{LoadedTable, OtherTables, RestoreOptions, RestoreReport, Substitution},
    prefix,
    reader::Reader,
    record::{Move, Record, State},
    session::Sessions,
    statement::Made,
};
use crate::{
    Error, Result,
    config::Settings,
    database::{
        client::{Client, literal},
        connection::Connection,
        dump::{ProgramKind, RelationKind, relations},
        share::Share,
        sql::Server,
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
    time::{Duration, Instant},
};

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
    let run = new_run(home, epoch, connection.prefix())?;
    let stem = run.stem().to_owned();
    let mut record = Record::new(epoch, run.stem());
    let reader = reader(&mut client, &connection, options, run)?;
    let mut exchange = Exchange {
        home,
        epoch,
        watch,
        stem: &stem,
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
            give_up(home, epoch, &connection, &mut record).map_err(|other| {
                Error::Database(format!("{why}; and taking it back failed: {other}"))
            })?;
        }
        return Err(why);
    }
    let mut report = work.report;
    report.duration_ms = milliseconds(since.elapsed());
    Ok(report)
}

/// A name space that no other restore has.
pub(in crate::database) fn new_run(home: &Home, epoch: Epoch, prefix: &str) -> Result<Run> {
    loop {
        let mut random = [0; 2];
        getrandom::fill(&mut random).map_err(|why| {
            let why = std::io::Error::other(why.to_string());
            Error::io("read", "random bytes", why)
        })?;
        let run = Run::new(prefix, epoch, u16::from_le_bytes(random));
        if Record::load(home, run.stem())?.is_none() {
            return Ok(run);
        }
    }
}

/// Brings everything back, also when the caller's own watch has ended.
pub(in crate::database) fn give_up(
    home: &Home,
    epoch: Epoch,
    connection: &Connection,
    record: &mut Record,
) -> Result<()> {
    let watch = Watch::lasting(Duration::from_mins(2));
    let stem = record.stem.clone();
    let mut client = Client::open(connection, &watch)?;
    client.run("SET NAMES utf8mb4, sql_mode = ''")?;
    let mut exchange = Exchange {
        home,
        epoch,
        watch: &watch,
        stem: &stem,
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
    let live = relations(client)?;
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
        // The dump is not read yet: it may make a network of the site.
        share: Share::of_network(
            connection.prefix(),
            live.iter().map(|relation| relation.name.as_str()),
        ),
        others: options.others,
        from: options
            .from_prefix
            .clone()
            .filter(|from| from != connection.prefix()),
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

/// A restore under way.
pub(super) struct Work<'a> {
    pub options: &'a RestoreOptions,
    pub reader: Reader,
    /// Statements for real names, by table.
    pub later: Vec<(String, Vec<u8>)>,
    pub made: Vec<Made>,
    pub held: usize,
    pub rows: BTreeMap<String, u64>,
    pub report: RestoreReport,
}

impl Work<'_> {
    fn put_in_place(&mut self, exchange: &mut Exchange, record: &mut Record) -> Result<()> {
        exchange
            .client
            .run("SET NAMES utf8mb4, sql_mode = '', time_zone = '+00:00'")?;
        self.verify_made(exchange)?;
        if self.options.from_prefix.is_some() {
            prefix::refuse_network(&self.reader, exchange.client)?;
        }
        if let Some(from) = self.reader.from.clone() {
            prefix::rename_keys(&self.reader, exchange.client, &from)?;
        }
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
        let share = self.settle_share(exchange.client, &live)?;
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
            let name = &relation.name;
            if working::parse(name).is_some() || names.contains(name) {
                continue;
            }
            if !share.holds(name) {
                if share.stranger(name).is_some() {
                    self.report.of_others.push(name.clone());
                }
            } else if self.options.remove_unknown {
                names.insert(name.clone());
            } else {
                self.report.untouched.push(name.clone());
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

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
