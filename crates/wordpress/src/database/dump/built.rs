//! What builds on tables: views, routines, triggers, events.

use super::{
    Definers, DumpedProgram, Program, columns, events,
    plan::chosen,
    routines, strip_definer, triggers_of,
    work::{Plan, SQL_MODE, Work, gone, heading, named},
    write::Sink,
};
use crate::{
    Error, Result,
    database::{
        client::quoted,
        sql::{Kind, Token, Tokens},
    },
};
use mysql_async::Row;

impl Work<'_> {
    /// Writes a stand-in with the same columns for each view, so that views may name
    /// each other in any order; the text of those that may be read.
    pub fn write_views(&mut self, names: &[String], sink: &mut Sink) -> Result<Vec<View>> {
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

    pub fn write_view_bodies(&mut self, views: &[View], sink: &mut Sink) -> Result<()> {
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
    pub fn write_programs(&mut self, plan: &Plan, sink: &mut Sink) -> Result<()> {
        let mut programs = Vec::new();
        let (found, hidden) = routines(&mut self.client)?;
        for (kind, name) in hidden {
            if plan.whole || self.share.holds(&name) {
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
        let events = if self.may("EVENT", None) {
            events(&mut self.client)
        } else {
            Ok(Vec::new())
        };
        match events {
            Ok(found) if self.may("EVENT", None) => programs.extend(self.belonging(found, plan)),
            Ok(_) => self.missing("EVENT", &self.database.clone()),
            Err(why) if why.is_denied() => self.missing("EVENT", &self.database.clone()),
            Err(why) => return Err(why.into()),
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
    /// of a database that holds nothing else, or whose name has its prefix
    /// and no other's.
    fn belonging(&mut self, programs: Vec<Program>, plan: &Plan) -> Vec<Program> {
        let (ours, others): (Vec<_>, Vec<_>) = programs
            .into_iter()
            .partition(|program| plan.whole || self.share.holds(&program.name));
        for program in others {
            let kind = program.kind.sql().to_lowercase();
            self.leave_out(
                &kind,
                &program.name,
                "other sites share the database, and its name lacks the site's own prefix",
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
}

/// A view whose text may be read.
pub(super) struct View {
    name: String,
    text: Vec<u8>,
    collation: String,
}

/// Takes this database's name away where the server adds it (sequences in defaults,
/// functions in views), so that the dump can be restored under another name.
pub(super) fn without_database(statement: &[u8], database: &str) -> Vec<u8> {
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
