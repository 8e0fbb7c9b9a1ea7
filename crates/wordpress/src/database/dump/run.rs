//! The course of a dump: look, take the snapshot, write table after table, then what
//! builds on tables.

use super::{
    DumpOptions, DumpReport, DumpedTable, LeftOut, MissingRight, RelationKind, Shape,
    built::without_database,
    primary_key, rights, select_list,
    work::{Plan, Planned, SQL_MODE, Work, gone, heading, named},
    write::Sink,
};
use crate::{
    Result,
    config::Settings,
    database::{
        client::{Client, Refused, quoted},
        connection::Connection,
        share::Share,
    },
    watch::Watch,
};
use mysql_async::{Row, Value};
use std::{
    collections::BTreeSet,
    io::Write,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// The first line of every dump.
pub(crate) const OPENING: &str = "-- Pressroom database dump, format 1";
/// The last line of every complete dump.
pub(crate) const CLOSING: &str = "-- Pressroom database dump complete";
/// An `INSERT` takes no further row beyond this many bytes.
const STATEMENT: u64 = 1024 * 1024;

/// Writes the site's tables as plain SQL that the stock clients restore too.
///
/// The text is read in one transaction with a consistent snapshot, row by row in
/// constant memory, and holds no times: equal data give equal bytes. Rights that the
/// database user lacks are collected and named in the report; a table that may not be
/// read fails the dump before the first byte, unless the options say otherwise.
/// The last line says that the dump is complete.
///
/// # Errors
/// [`Error::Database`] when the server refuses, also when a table's structure
/// changed between the snapshot and its turn; [`Error::Io`] from `out`.
pub fn dump(
    settings: &Settings,
    options: &DumpOptions,
    out: &mut dyn Write,
    watch: &Watch,
) -> Result<DumpReport> {
    let since = Instant::now();
    let connection = Connection::of(settings)?;
    let mut client = Client::open(&connection, watch)?;
    client
        .run(
            "SET SESSION sql_mode = '', character_set_client = utf8mb4, \
         collation_connection = utf8mb4_general_ci, character_set_results = binary, \
         TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        )
        .or_else(|_| {
            client.run("SET NAMES utf8mb4")?;
            client.run("SET SESSION sql_mode = '', character_set_results = binary")?;
            client.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        })?;
    let mut report = DumpReport {
        server: client.first("SELECT VERSION()")?.unwrap_or_default(),
        ..DumpReport::default()
    };
    let grants = rights::grants(&mut client);
    let mut work = Work {
        database: connection.database().to_owned(),
        share: Share::new(connection.prefix(), []),
        options,
        grants,
        client,
        report: &mut report,
    };
    let plan = work.plan()?;
    let mut sink = Sink::new(out);
    work.write(&plan, &mut sink)?;
    (report.bytes, report.largest_statement) = sink.finish()?;
    report.missing_rights.sort();
    report.missing_rights.dedup();
    report.duration_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

impl Work<'_> {
    fn write(&mut self, plan: &Plan, sink: &mut Sink) -> Result<()> {
        self.client
            .run("START TRANSACTION WITH CONSISTENT SNAPSHOT")?;
        self.report.snapshot_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
        write_head(sink)?;
        for name in &plan.sequences {
            self.write_sequence(name, sink)?;
        }
        for table in &plan.tables {
            self.write_table(table, sink)?;
        }
        let views = self.write_views(&plan.views, sink)?;
        self.write_programs(plan, sink)?;
        self.write_view_bodies(&views, sink)?;
        write_tail(sink)?;
        let collations: BTreeSet<String> = plan
            .tables
            .iter()
            .flat_map(|table| {
                let columns = table.columns.iter().map(|column| &column.collation);
                columns.chain([&table.relation.collation])
            })
            .flatten()
            .cloned()
            .collect();
        self.report.collations = collations.into_iter().collect();
        Ok(())
    }

    fn write_sequence(&mut self, name: &str, sink: &mut Sink) -> Result<()> {
        let before = sink.written();
        let create: Option<(String, Vec<u8>)> = self
            .client
            .first(format!("SHOW CREATE SEQUENCE {}", quoted(name)))?;
        let (_, create) = create.ok_or_else(|| gone(name))?;
        let state: Result<Option<(i64, i64)>, Refused> = self.client.first(format!(
            "SELECT next_not_cached_value, cycle_count FROM {}",
            quoted(name)
        ));
        heading(sink, "Sequence", name);
        sink.statement(format!("DROP SEQUENCE IF EXISTS {}", quoted(name)))?;
        sink.statement(create)?;
        match state {
            Ok(Some((next, round))) => {
                sink.statement(format!("DO SETVAL({}, {next}, 0, {round})", quoted(name)))?;
            }
            Ok(None) => {}
            Err(why) if why.is_denied() => self.missing("SELECT", name),
            Err(why) => return Err(named(name, why)),
        }
        self.report.tables.push(DumpedTable {
            name: name.to_owned(),
            rows: 0,
            bytes: sink.written() - before,
            engine: "SEQUENCE".to_owned(),
            structure_only: false,
            odd_texts: 0,
        });
        Ok(())
    }

    fn write_table(&mut self, table: &Planned, sink: &mut Sink) -> Result<()> {
        let name = &table.relation.name;
        let before = sink.written();
        // Rolled back after each table, so that others may alter it again.
        self.client.run("SAVEPOINT one_table")?;
        let create: Row = self
            .client
            .first(format!("SHOW CREATE TABLE {}", quoted(name)))
            .map_err(|why| named(name, why))?
            .ok_or_else(|| gone(name))?;
        let create: Vec<u8> = create.get(1).ok_or_else(|| gone(name))?;
        let create = without_database(&create, &self.database);
        heading(sink, "Table", name);
        sink.statement(format!("DROP TABLE IF EXISTS {}", quoted(name)))?;
        sink.statement(create)?;
        let (mut rows, mut odd) = (0, 0);
        if !table.structure_only {
            let key = primary_key(&mut self.client, name)?;
            if key.is_empty() {
                self.report.without_key.push(name.clone());
            }
            (rows, odd) = self
                .write_rows(table, &key, sink)
                .map_err(|why| named(name, why))?;
        }
        self.client.run("ROLLBACK TO SAVEPOINT one_table")?;
        if !table.relation.transactional && !table.structure_only {
            self.report.non_transactional.push(name.clone());
        }
        if table.relation.kind == RelationKind::Versioned {
            self.report.without_history.push(name.clone());
        }
        self.report.tables.push(DumpedTable {
            name: name.clone(),
            rows,
            bytes: sink.written() - before,
            engine: table.relation.engine.clone(),
            structure_only: table.structure_only,
            odd_texts: odd,
        });
        Ok(())
    }

    fn write_rows(
        &mut self,
        table: &Planned,
        key: &[String],
        sink: &mut Sink,
    ) -> Result<(u64, u64), Refused> {
        let name = quoted(&table.relation.name);
        let names: Vec<String> = table.columns.iter().map(|c| quoted(&c.name)).collect();
        let shapes: Vec<Shape> = table.columns.iter().map(Shape::of).collect();
        let head = format!("INSERT INTO {name} ({}) VALUES\n(", names.join(","));
        let query = format!(
            "SELECT {} FROM {name}{}",
            select_list(&table.columns),
            order(key, &table.relation.engine)
        );
        let mut odd = 0;
        let mut open = false;
        let mut begun = false;
        let rows = self.client.each(query, |row| {
            if open && sink.in_statement() >= STATEMENT {
                sink.end()?;
                open = false;
            }
            if open {
                sink.put(",\n(");
            } else {
                if !begun {
                    sink.statement("START TRANSACTION")?;
                    begun = true;
                }
                sink.begin();
                sink.put(&head);
                open = true;
            }
            for (at, shape) in shapes.iter().enumerate() {
                let out = sink.buffer();
                if at > 0 {
                    out.push(b',');
                }
                let value = match row.as_ref(at) {
                    Some(Value::Bytes(bytes)) => Some(bytes.as_slice()),
                    _ => None,
                };
                odd += u64::from(shape.render(value, out));
            }
            sink.put(")");
            sink.relieve()
        })?;
        if open {
            sink.end()?;
            sink.statement("COMMIT")?;
        }
        Ok((rows, odd))
    }

    pub fn may(&self, right: &str, table: Option<&str>) -> bool {
        // A server that does not tell its grants is asked for the thing itself.
        self.grants
            .as_ref()
            .is_none_or(|grants| grants.allow(right, &self.database, table))
    }

    pub fn may_any(&self, right: &str, plan: &Plan) -> bool {
        plan.tables
            .iter()
            .any(|table| self.may(right, Some(&table.relation.name)))
    }

    pub fn missing(&mut self, right: &str, on: &str) {
        self.report.missing_rights.push(MissingRight {
            right: right.to_owned(),
            on: on.to_owned(),
        });
    }

    pub fn leave_out(&mut self, kind: &str, name: &str, why: &str) {
        self.report.left_out.push(LeftOut {
            kind: kind.to_owned(),
            name: name.to_owned(),
            why: why.to_owned(),
        });
    }
}

fn write_head(sink: &mut Sink) -> Result<()> {
    sink.put(format!("{OPENING}\n\n"));
    sink.statement(
        "SET @old_client = @@character_set_client, @old_results = @@character_set_results, \
         @old_collation = @@collation_connection, @old_sql_mode = @@sql_mode, \
         @old_time_zone = @@time_zone, @old_unique_checks = @@unique_checks, \
         @old_foreign_key_checks = @@foreign_key_checks",
    )?;
    sink.statement("SET NAMES utf8mb4")?;
    sink.statement(format!(
        "SET sql_mode = '{SQL_MODE}', time_zone = '+00:00', unique_checks = 0, \
         foreign_key_checks = 0"
    ))
}

fn write_tail(sink: &mut Sink) -> Result<()> {
    sink.put("\n");
    sink.statement(
        "SET character_set_client = @old_client, character_set_results = @old_results, \
         collation_connection = @old_collation, sql_mode = @old_sql_mode, \
         time_zone = @old_time_zone, unique_checks = @old_unique_checks, \
         foreign_key_checks = @old_foreign_key_checks",
    )?;
    sink.put(format!("\n{CLOSING}\n"));
    Ok(())
}

/// The order of rows, which is the primary key's where there is one.
fn order(key: &[String], engine: &str) -> String {
    let innodb = engine.eq_ignore_ascii_case("InnoDB");
    if key.is_empty() {
        // Not by an index that happens to hold all columns.
        return if innodb { " USE INDEX ()" } else { "" }.to_owned();
    }
    let names: Vec<String> = key.iter().map(|name| quoted(name)).collect();
    // InnoDB keeps rows in that order: it need not sort.
    let hint = if innodb { " FORCE INDEX (PRIMARY)" } else { "" };
    format!("{hint} ORDER BY {}", names.join(","))
}
