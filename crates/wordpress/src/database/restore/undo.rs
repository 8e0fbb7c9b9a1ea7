//! Takes an exchange back, from whatever state it was left in.
//!
//! What was done is found by looking, never from what ought to have been done: the
//! way back may itself be interrupted anywhere, or refused, and is then gone again
//! from its start. Once the old tables have their names the record says so, and no
//! name changes hands any more; before that nothing is dropped but views.

use super::{
    exchange::{Exchange, PATIENCE, add_key, drop_key, find, of, rename},
    record::{Move, Record, State},
};
use crate::{
    Error, Result,
    database::{
        client::quoted,
        dump::{Program, Relation, RelationKind, relations, strip_definer},
        working,
    },
};
use std::collections::BTreeSet;

/// With a binary log, triggers are for accounts that the server trusts with it.
const NOT_TRUSTED: u16 = 1419;

impl Exchange<'_> {
    /// Brings everything back to what the record says it was. May be repeated.
    pub fn undo(&mut self, record: &mut Record) -> Result<()> {
        self.client.run(format!(
            "SET SESSION lock_wait_timeout = {PATIENCE}, foreign_key_checks = 0, sql_mode = ''"
        ))?;
        if record.state == State::Done {
            record.state = State::Exchanging;
            self.save(record)?;
        }
        if record.state != State::Undone {
            self.give_names_back(record)?;
            record.state = State::Undone;
            self.save(record)?;
        }
        // With the new tables go their triggers and foreign keys.
        self.drop_working(&record.stem, false)?;
        for (kind, name) in &record.made {
            // One of that name that was there is in the record.
            if !matches!(kind.as_str(), "VIEW" | "TRIGGER") {
                self.remove(format!("DROP {kind} IF EXISTS {}", quoted(name)))?;
            }
        }
        self.foreign_keys_back(record)?;
        for program in &record.triggers {
            self.trigger_back(program)?;
        }
        for program in &record.programs {
            self.remove(program.removal())?;
            self.make_again(program)?;
        }
        self.client.run("SET NAMES utf8mb4, sql_mode = ''")?;
        self.verify_undone(record)
    }

    /// The old tables get their names again, and what has those names working ones.
    fn give_names_back(&mut self, record: &Record) -> Result<()> {
        let live = relations(self.client)?;
        for one in record.moves.iter().filter(|one| one.view) {
            // Without its old one aside, what has the name is the old one itself.
            let ours = one
                .old
                .as_ref()
                .is_none_or(|old| find(&live, old).is_some());
            if ours && is_view(&live, &one.name) {
                self.remove(format!("DROP VIEW IF EXISTS {}", quoted(&one.name)))?;
            }
        }
        let live = relations(self.client)?;
        let mut taken: BTreeSet<String> = live.iter().map(|one| one.name.clone()).collect();
        let mut renames = Vec::new();
        for one in &record.moves {
            if is_exchanged(&live, one) && taken.contains(&one.name) {
                let new = one.new.clone().filter(|new| !taken.contains(new));
                // The site may have made a table where the restore left none.
                let new = new.or_else(|| spare(&taken, &record.stem, &one.name));
                let new = new.ok_or_else(|| stuck(&one.name))?;
                taken.insert(new.clone());
                renames.push((one.name.clone(), new));
            }
        }
        for one in record.moves.iter().filter(|one| is_exchanged(&live, one)) {
            if let Some(old) = &one.old {
                renames.push((old.clone(), one.name.clone()));
            }
        }
        if !renames.is_empty() {
            self.act(rename(&renames))?;
        }
        let live = relations(self.client)?;
        for one in &record.moves {
            let back = match &one.old {
                Some(_) => find(&live, &one.name).is_some(),
                None => !(one.view && is_view(&live, &one.name)),
            };
            if !back || is_exchanged(&live, one) {
                return Err(stuck(&one.name));
            }
        }
        Ok(())
    }

    fn foreign_keys_back(&mut self, record: &Record) -> Result<()> {
        let live = relations(self.client)?;
        for key in &record.foreign_keys {
            if key.outside {
                // A table that was never moved may be gone since.
                if find(&live, &key.table).is_some() {
                    self.remove(drop_key(&key.table, &key.name))?;
                    self.act(add_key(key))?;
                }
            } else if !self.foreign_key_names(&key.table)?.contains(&key.name) {
                self.act(add_key(key))?;
            }
        }
        Ok(())
    }

    /// Triggers are made anew also where they are still there: a rename rewrites the
    /// table's name in their text.
    fn trigger_back(&mut self, program: &Program) -> Result<()> {
        match self.act(program.removal()) {
            Err(why) if why.code == Some(NOT_TRUSTED) => {
                // Nor could it be made then; the one that is there does the same.
                let table = program.table.as_deref().unwrap_or_default();
                let there = self.triggers(table)?;
                if there.iter().any(|one| one.name == program.name) {
                    return Ok(());
                }
            }
            Err(why) if why.is_absent() => {}
            other => other?,
        }
        self.make_again(program)
    }

    fn make_again(&mut self, program: &Program) -> Result<()> {
        self.act(program.session())?;
        let made = match self.act(&program.statement) {
            // Another account's program comes back as the site's own.
            Err(why) if why.is_denied() => {
                let own = strip_definer(&program.statement);
                self.act(own.as_deref().unwrap_or(&program.statement))
            }
            other => other,
        };
        made.map_err(|why| of(&program.name, why.error))
    }

    fn verify_undone(&mut self, record: &Record) -> Result<()> {
        let live = relations(self.client)?;
        for one in &record.moves {
            let kept = one.old.is_none() || find(&live, &one.name).is_some();
            let moved = [&one.old, &one.new]
                .into_iter()
                .flatten()
                .all(|name| find(&live, name).is_none());
            if !kept || !moved {
                return Err(stuck(&one.name));
            }
        }
        Ok(())
    }
}

/// Whether this name has changed hands. What was there before and is not aside still
/// has its name; where nothing was, whatever came has left its working name.
fn is_exchanged(live: &[Relation], one: &Move) -> bool {
    match (&one.old, &one.new) {
        (Some(old), _) => find(live, old).is_some(),
        (None, Some(new)) => find(live, new).is_none() && find(live, &one.name).is_some(),
        (None, None) => false,
    }
}

fn is_view(live: &[Relation], name: &str) -> bool {
    find(live, name).is_some_and(|found| found.kind == RelationKind::View)
}

/// A working name that nothing has.
fn spare(taken: &BTreeSet<String>, stem: &str, table: &str) -> Option<String> {
    (0..=taken.len())
        .map(|number| working::new_name(stem, number, table))
        .find(|name| !taken.contains(name))
}

fn stuck(name: &str) -> Error {
    Error::Database(format!("`{name}` could not be taken back"))
}
