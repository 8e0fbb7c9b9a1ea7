//! The course of a dump: look, take the snapshot, write table after table, then what
//! builds on tables.

use super::{
    Column, Definers, DumpOptions, DumpReport, DumpedProgram, DumpedTable, LeftOut, MissingRight,
    Program, Relation, RelationKind, Scope, Shape, columns, events, insertable, primary_key,
    relations,
    rights::{self, Grants},
    routines, select_list, strip_definer, triggers_of,
    write::Sink,
};
use crate::{
    Error, Result,
    config::Settings,
    database::{
        client::{Client, Refused, literal, quoted},
        connection::Connection,
        sql::{Kind, Token, Tokens},
        working,
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
/// Under which the dump is restored: zero dates and invalid dates survive, and a
/// zero in an `AUTO_INCREMENT` column stays one.
const SQL_MODE: &str = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES";
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
        prefix: connection.prefix().to_owned(),
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

struct Work<'a> {
    database: String,
    prefix: String,
    options: &'a DumpOptions,
    grants: Option<Grants>,
    client: Client,
    report: &'a mut DumpReport,
}

/// A table with what is known of it before the snapshot.
struct Planned {
    relation: Relation,
    columns: Vec<Column>,
    structure_only: bool,
}

#[derive(Default)]
struct Plan {
    sequences: Vec<String>,
    tables: Vec<Planned>,
    views: Vec<String>,
    /// Everything in the database is in scope, and so are its routines and events.
    whole: bool,
}

impl Work<'_> {
    /// Decides what is dumped, and finds out what may be read.
    fn plan(&mut self) -> Result<Plan> {
        let mut plan = Plan {
            whole: true,
            ..Plan::default()
        };
        let mut unreadable = Vec::new();
        for relation in relations(&mut self.client)? {
            // What a restore works on belongs to no site.
            if working::parse(&relation.name).is_some() {
                continue;
            }
            if !self.in_scope(&relation.name) {
                plan.whole = false;
                continue;
            }
            if !chosen(self.options, &relation.name) {
                continue;
            }
            match relation.kind {
                RelationKind::View => plan.views.push(relation.name),
                RelationKind::Sequence => plan.sequences.push(relation.name),
                RelationKind::Table | RelationKind::Versioned => {
                    let columns = columns(&mut self.client, &relation.name)?;
                    let structure_only = matches_any(&self.options.structure_only, &relation.name);
                    let columns = insertable(columns);
                    let probe = format!(
                        "SELECT {} FROM {} LIMIT 0",
                        select_list(&columns),
                        quoted(&relation.name)
                    );
                    // A table of which the user may see no column hides them.
                    let allowed = match self.client.run(probe) {
                        Ok(()) => !columns.is_empty(),
                        Err(why) if why.is_denied() => false,
                        Err(why) => return Err(named(&relation.name, why)),
                    };
                    if allowed || structure_only {
                        plan.tables.push(Planned {
                            relation,
                            columns,
                            structure_only,
                        });
                    } else {
                        self.missing("SELECT", &relation.name);
                        unreadable.push(relation.name);
                    }
                }
            }
        }
        if !unreadable.is_empty() && !self.options.skip_unreadable {
            let list: Vec<String> = unreadable
                .iter()
                .map(|table| format!("`SELECT` on `{table}`"))
                .collect();
            return Err(Error::Database(format!(
                "the database user lacks {}",
                list.join(", ")
            )));
        }
        for table in unreadable {
            self.leave_out("table", &table, "the user may not read it");
        }
        Ok(plan)
    }

    fn in_scope(&self, name: &str) -> bool {
        match self.options.scope {
            Scope::Database => true,
            Scope::Prefix => name.starts_with(&self.prefix),
        }
    }

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

    /// Writes a stand-in with the same columns for each view, so that views may name
    /// each other in any order; the text of those that may be read.
    fn write_views(&mut self, names: &[String], sink: &mut Sink) -> Result<Vec<View>> {
        let mut views = Vec::new();
        for name in names {
            let row: Option<Row> = match self
                .client
                .first(format!("SHOW CREATE VIEW {}", quoted(name)))
            {
                Ok(row) => row,
                Err(why) if why.is_denied() => {
                    self.missing("SHOW VIEW", name);
                    self.leave_out("view", name, "the user may not see its text");
                    continue;
                }
                Err(why) => return Err(named(name, why)),
            };
            let row = row.ok_or_else(|| gone(name))?;
            let text: Vec<u8> = row.get(1).ok_or_else(|| gone(name))?;
            let collation: Vec<u8> = row.get(3).unwrap_or_default();
            let columns = columns(&mut self.client, name).unwrap_or_default();
            if columns.is_empty() {
                self.leave_out("view", name, "it names tables or columns that do not exist");
                continue;
            }
            views.push(View {
                name: name.clone(),
                text: self.definer(without_database(&text, &self.database)),
                collation: String::from_utf8_lossy(&collation).into_owned(),
            });
            let columns: Vec<String> = columns
                .iter()
                .map(|column| format!("1 AS {}", quoted(&column.name)))
                .collect();
            heading(sink, "Stand-in for view", name);
            sink.statement(format!("DROP TABLE IF EXISTS {}", quoted(name)))?;
            sink.statement(format!("DROP VIEW IF EXISTS {}", quoted(name)))?;
            sink.statement(format!(
                "CREATE VIEW {} AS SELECT {}",
                quoted(name),
                columns.join(", ")
            ))?;
        }
        Ok(views)
    }

    fn write_view_bodies(&mut self, views: &[View], sink: &mut Sink) -> Result<()> {
        for view in views {
            heading(sink, "View", &view.name);
            sink.statement(format!("SET collation_connection = {}", view.collation))?;
            let body = view.text.strip_prefix(b"CREATE ").unwrap_or(&view.text);
            sink.statement([b"CREATE OR REPLACE ", body].concat())?;
            self.report.programs.push(DumpedProgram {
                kind: "view".to_owned(),
                name: view.name.clone(),
            });
        }
        if !views.is_empty() {
            sink.statement("SET NAMES utf8mb4")?;
        }
        Ok(())
    }

    /// Routines first, for triggers and views call them; then triggers and events.
    fn write_programs(&mut self, plan: &Plan, sink: &mut Sink) -> Result<()> {
        let mut programs = Vec::new();
        let (found, hidden) = routines(&mut self.client)?;
        for (kind, name) in hidden {
            if plan.whole || name.starts_with(&self.prefix) {
                self.missing("SHOW CREATE ROUTINE or SELECT on mysql.proc", &name);
                let kind = kind.sql().to_lowercase();
                self.leave_out(&kind, &name, "the user may not see its text");
            }
        }
        programs.extend(self.belonging(found, plan));
        for table in &plan.tables {
            let name = &table.relation.name;
            if self.may("TRIGGER", Some(name)) {
                match triggers_of(&mut self.client, name) {
                    Ok(found) => programs.extend(found),
                    Err(why) if why.is_denied() => self.missing("TRIGGER", name),
                    Err(why) => return Err(named(name, why)),
                }
            } else if self.may_any("TRIGGER", plan) {
                self.missing("TRIGGER", name);
            } else {
                self.missing("TRIGGER", &self.database.clone());
            }
        }
        match self.may("EVENT", None) {
            true => match events(&mut self.client) {
                Ok(found) => programs.extend(self.belonging(found, plan)),
                Err(why) if why.is_denied() => self.missing("EVENT", &self.database.clone()),
                Err(why) => return Err(why.into()),
            },
            false => self.missing("EVENT", &self.database.clone()),
        }
        for program in &programs {
            self.write_program(program, sink)?;
        }
        if !programs.is_empty() {
            sink.statement("SET NAMES utf8mb4")?;
            sink.statement(format!("SET sql_mode = '{SQL_MODE}', time_zone = '+00:00'"))?;
        }
        Ok(())
    }

    /// Routines and events belong to a database, not to a prefix: to the site those
    /// of a database that holds nothing else, or whose name has its prefix.
    fn belonging(&mut self, programs: Vec<Program>, plan: &Plan) -> Vec<Program> {
        let (ours, others): (Vec<_>, Vec<_>) = programs
            .into_iter()
            .partition(|program| plan.whole || program.name.starts_with(&self.prefix));
        for program in others {
            let kind = program.kind.sql().to_lowercase();
            self.leave_out(
                &kind,
                &program.name,
                "other sites share the database, and its name lacks the prefix",
            );
        }
        ours.into_iter()
            .filter(|program| chosen(self.options, &program.name))
            .collect()
    }

    fn write_program(&mut self, program: &Program, sink: &mut Sink) -> Result<()> {
        let kind = program.kind.sql();
        heading(sink, kind, &program.name);
        if program.table.is_none() {
            sink.statement(program.removal())?;
        }
        sink.statement(program.session())?;
        let text = self.definer(program.statement.clone());
        let delimiter = (2..16)
            .map(|count| ";".repeat(count))
            .find(|delimiter| memchr::memmem::find(&text, delimiter.as_bytes()).is_none())
            .ok_or_else(|| Error::Database(format!("`{}` cannot be delimited", program.name)))?;
        sink.put(format!("DELIMITER {delimiter}\n"));
        sink.begin();
        sink.put(&text);
        sink.largest = sink.largest.max(sink.in_statement());
        sink.put(format!("\n{delimiter}\nDELIMITER ;\n"));
        sink.relieve()?;
        self.report.programs.push(DumpedProgram {
            kind: kind.to_lowercase(),
            name: program.name.clone(),
        });
        Ok(())
    }

    fn definer(&mut self, text: Vec<u8>) -> Vec<u8> {
        if self.options.definers == Definers::Keep {
            return text;
        }
        match strip_definer(&text) {
            Some(text) => {
                self.report.definers_stripped += 1;
                text
            }
            None => text,
        }
    }

    fn may(&self, right: &str, table: Option<&str>) -> bool {
        // A server that does not tell its grants is asked for the thing itself.
        self.grants
            .as_ref()
            .is_none_or(|grants| grants.allow(right, &self.database, table))
    }

    fn may_any(&self, right: &str, plan: &Plan) -> bool {
        plan.tables
            .iter()
            .any(|table| self.may(right, Some(&table.relation.name)))
    }

    fn missing(&mut self, right: &str, on: &str) {
        self.report.missing_rights.push(MissingRight {
            right: right.to_owned(),
            on: on.to_owned(),
        });
    }

    fn leave_out(&mut self, kind: &str, name: &str, why: &str) {
        self.report.left_out.push(LeftOut {
            kind: kind.to_owned(),
            name: name.to_owned(),
            why: why.to_owned(),
        });
    }
}

struct View {
    name: String,
    text: Vec<u8>,
    collation: String,
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

fn heading(sink: &mut Sink, what: &str, name: &str) {
    // A name may hold a line end, which would end the comment.
    let shown: String = name.chars().filter(|c| !c.is_control()).collect();
    sink.put(format!("\n-- {what} {}\n\n", quoted(&shown)));
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

/// Takes this database's name away where the server adds it (sequences in defaults,
/// functions in views), so that the dump can be restored under another name.
fn without_database(statement: &[u8], database: &str) -> Vec<u8> {
    let mark = quoted(database);
    if memchr::memmem::find(statement, mark.as_bytes()).is_none() {
        return statement.to_vec();
    }
    let tokens: Vec<Token> = Tokens::of(statement).collect();
    let mut out = Vec::with_capacity(statement.len());
    let mut kept = 0;
    for at in 1..tokens.len() {
        let named = tokens[at].kind == Kind::Name && tokens[at].text == mark.as_bytes();
        let dotted = tokens.get(at + 1).is_some_and(|next| next.is_symbol(b'.'));
        let follows = |symbol| {
            tokens
                .get(at + 3)
                .is_some_and(|next| next.is_symbol(symbol))
        };
        let sequence = tokens[at - 1].is_symbol(b'(')
            && at > 1
            && (tokens[at - 2].is("nextval")
                || tokens[at - 2].is("lastval")
                || tokens[at - 2].is("setval"));
        if named && dotted && !tokens[at - 1].is_symbol(b'.') && (sequence || follows(b'(')) {
            out.extend_from_slice(&statement[kept..tokens[at].start]);
            kept = tokens[at + 2].start;
        }
    }
    out.extend_from_slice(&statement[kept..]);
    out
}

/// Whether a name is asked for.
fn chosen(options: &DumpOptions, name: &str) -> bool {
    (options.include.is_empty() || matches_any(&options.include, name))
        && !matches_any(&options.exclude, name)
}

fn matches_any(patterns: &[String], name: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        })
}

fn named(name: &str, why: Refused) -> Error {
    match why.error {
        Error::Database(text) => Error::Database(format!("`{name}`: {text}")),
        other => other,
    }
}

fn gone(name: &str) -> Error {
    Error::Database(format!("{} disappeared", literal(name)))
}
