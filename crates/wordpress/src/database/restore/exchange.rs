//! Puts loaded tables in the place of the site's, all by one `RENAME TABLE`.
//!
//! A renamed table keeps its triggers and foreign keys, whose names are taken in the
//! whole database; so the old ones are dropped (the record keeps their text) before
//! the new ones come.

use super::{
    record::{ForeignKey, Record},
    statement::Made,
    table::foreign_keys_of,
};
use crate::{
    Error, Result,
    database::{
        client::{Client, Refused, literal, quoted},
        dump::{
            Program, ProgramKind, Relation, RelationKind, events, relations, routines, triggers_of,
        },
    },
    fence,
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use std::collections::BTreeSet;

/// Who changes what.
pub(in crate::database) struct Exchange<'a> {
    pub home: &'a Home,
    pub epoch: Epoch,
    pub watch: &'a Watch,
    /// Stands in each statement, so that recovery finds those that a killed worker
    /// left running: of the site's working names, the beginning at least.
    pub stem: &'a str,
    pub client: &'a mut Client,
}

/// Seconds that a statement inside the fence waits for the site to let go of a table.
pub(in crate::database) const PATIENCE: u32 = 5;
const ATTEMPTS: u32 = 6;
const LOCK_WAIT: u16 = 1205;

impl Exchange<'_> {
    /// Runs one statement inside the fence, again when the site holds a table.
    pub fn act(&mut self, statement: impl AsRef<[u8]>) -> Result<(), Refused> {
        let mark = format!("/* {} */ ", self.stem);
        let statement = [mark.as_bytes(), statement.as_ref()].concat();
        for attempt in 1.. {
            let client = &mut *self.client;
            let mut refused = None;
            fence::critical(self.home, self.epoch, self.watch, || {
                refused = client.run(&statement).err();
                Ok(())
            })?;
            match refused {
                None => break,
                Some(why) if why.code == Some(LOCK_WAIT) && attempt < ATTEMPTS => {}
                Some(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// The same, content when there is nothing to remove.
    pub fn remove(&mut self, statement: impl AsRef<[u8]>) -> Result<()> {
        match self.act(statement) {
            Err(why) if why.is_absent() => Ok(()),
            other => Ok(other?),
        }
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

    /// Looks at what stands where the new tables go, and notes in the record what it
    /// takes to bring it back.
    pub fn prepare(&mut self, record: &mut Record, made: &[Made]) -> Result<()> {
        self.client.run(format!(
            "SET SESSION lock_wait_timeout = {PATIENCE}, foreign_key_checks = 0, sql_mode = ''"
        ))?;
        let live = relations(self.client)?;
        let moving: BTreeSet<String> = record
            .moves
            .iter()
            .filter(|one| one.old.is_some())
            .map(|one| one.name.clone())
            .collect();
        for relation in &live {
            if relation.kind == RelationKind::View || relation.kind == RelationKind::Sequence {
                continue;
            }
            if moving.contains(&relation.name) {
                record.triggers.extend(self.triggers(&relation.name)?);
                for (name, definition) in self.foreign_keys(&relation.name)? {
                    record.foreign_keys.push(ForeignKey {
                        table: relation.name.clone(),
                        name,
                        definition,
                        outside: false,
                    });
                }
            }
        }
        let outside: Vec<(String, String, String)> = self.client.rows(
            "SELECT TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME \
             FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()",
        )?;
        for (table, name, referenced) in outside {
            if moving.contains(&referenced) && !moving.contains(&table) {
                let keys = self.foreign_keys(&table)?;
                let definition = keys.into_iter().find(|(key, _)| *key == name);
                let (_, definition) = definition.ok_or_else(|| {
                    Error::Database(format!("foreign key `{name}` of `{table}` cannot be read"))
                })?;
                record.foreign_keys.push(ForeignKey {
                    table,
                    name,
                    definition,
                    outside: true,
                });
            }
        }
        record.made = made
            .iter()
            .map(|one| {
                (
                    one.kind.map_or("VIEW", ProgramKind::sql).to_owned(),
                    one.name.clone(),
                )
            })
            .collect();
        record.programs = self.replaced(made)?;
        Ok(())
    }

    /// Routines and events that make room for ones of the same name.
    fn replaced(&mut self, made: &[Made]) -> Result<Vec<Program>> {
        let wants = |kind: ProgramKind, name: &str| {
            made.iter()
                .any(|one| one.kind == Some(kind) && one.name.eq_ignore_ascii_case(name))
        };
        if !made
            .iter()
            .any(|one| one.kind.is_some_and(|kind| kind != ProgramKind::Trigger))
        {
            return Ok(Vec::new());
        }
        let session = "SET SESSION character_set_results = binary";
        self.client.run(session)?;
        let (found, hidden) = routines(self.client)?;
        if let Some((kind, name)) = hidden.iter().find(|(kind, name)| wants(*kind, name)) {
            return Err(Error::Database(format!(
                "the database user may not read {} `{name}`, which the dump would replace",
                kind.sql().to_lowercase()
            )));
        }
        let mut replaced = found;
        if made.iter().any(|one| one.kind == Some(ProgramKind::Event)) {
            replaced.extend(events(self.client)?);
        }
        replaced.retain(|program| wants(program.kind, &program.name));
        self.client
            .run("SET SESSION character_set_results = utf8mb4")?;
        Ok(replaced)
    }

    pub fn triggers(&mut self, table: &str) -> Result<Vec<Program>> {
        self.client
            .run("SET SESSION character_set_results = binary")?;
        let found = triggers_of(self.client, table);
        self.client
            .run("SET SESSION character_set_results = utf8mb4")?;
        Ok(found?)
    }

    fn foreign_keys(&mut self, table: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let create: Option<(String, Vec<u8>)> = self
            .client
            .first(format!("SHOW CREATE TABLE {}", quoted(table)))?;
        Ok(create.map_or_else(Vec::new, |(_, create)| foreign_keys_of(&create)))
    }

    /// The names of a table's foreign keys as they are now: a rename changes some.
    pub fn foreign_key_names(&mut self, table: &str) -> Result<Vec<String>> {
        Ok(self.client.rows(format!(
            "SELECT CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS \
             WHERE TABLE_SCHEMA = DATABASE() AND CONSTRAINT_TYPE = 'FOREIGN KEY' AND TABLE_NAME = {}",
            literal(table)
        ))?)
    }

    /// The exchange itself, and what comes after it: foreign keys, defaults, and the
    /// programs of the dump in its order.
    pub fn exchange(&mut self, record: &Record, later: &[Vec<u8>], made: &[Made]) -> Result<()> {
        let mut renames = Vec::new();
        for one in &record.moves {
            if let Some(old) = &one.old {
                renames.push((one.name.clone(), old.clone()));
            }
        }
        for one in &record.moves {
            if let Some(new) = &one.new {
                renames.push((new.clone(), one.name.clone()));
            }
        }
        if !renames.is_empty() {
            self.act(rename(&renames))?;
        }
        for one in record.moves.iter().filter(|one| !one.old_view) {
            let Some(old) = &one.old else { continue };
            for key in self.foreign_key_names(old)? {
                self.remove(drop_key(old, &key))?;
            }
        }
        for trigger in &record.triggers {
            self.remove(trigger.removal())?;
        }
        self.mend_outside(record)?;
        for statement in later {
            self.act(statement)?;
        }
        for one in made {
            self.act(&one.session)?;
            if let Some(kind) = one.kind
                && kind != ProgramKind::Trigger
            {
                let removal = format!("DROP {} IF EXISTS {}", kind.sql(), quoted(&one.name));
                self.act(removal)?;
            }
            self.act(&one.statement)
                .map_err(|why| of(&one.name, why.error))?;
        }
        Ok(())
    }

    /// Lets foreign keys of other tables refer to whatever has the name now.
    fn mend_outside(&mut self, record: &Record) -> Result<()> {
        for key in record.foreign_keys.iter().filter(|key| key.outside) {
            self.remove(drop_key(&key.table, &key.name))?;
            self.act(add_key(key))?;
        }
        Ok(())
    }

    /// Whether everything is where the exchange puts it.
    pub fn verify(&mut self, record: &Record) -> Result<()> {
        let live = relations(self.client)?;
        for one in &record.moves {
            let comes = one.new.is_some() || one.view;
            let right = find(&live, &one.name).is_some() == comes
                && one
                    .old
                    .as_ref()
                    .is_none_or(|old| find(&live, old).is_some())
                && one
                    .new
                    .as_ref()
                    .is_none_or(|new| find(&live, new).is_none());
            if !right {
                return Err(Error::Database(format!(
                    "`{}` is not what the exchange made it",
                    one.name
                )));
            }
        }
        Ok(())
    }

    /// Whether all that was put aside is still there.
    pub fn verify_kept(&mut self, record: &Record) -> Result<()> {
        let live = relations(self.client)?;
        let old = record.moves.iter().filter_map(|one| one.old.as_ref());
        match old.into_iter().find(|old| find(&live, old).is_none()) {
            None => Ok(()),
            Some(gone) => Err(Error::Database(format!(
                "`{gone}`, which the restore had put aside, is gone"
            ))),
        }
    }

    /// Drops everything of a run: the new, or the old.
    pub fn drop_working(&mut self, stem: &str, old: bool) -> Result<Vec<String>> {
        let mark = if old { 'o' } else { 'n' };
        let mut dropped = Vec::new();
        self.client.run("SET SESSION foreign_key_checks = 0")?;
        for relation in relations(self.client)? {
            let rest = relation.name.strip_prefix(stem);
            if !rest.is_some_and(|rest| rest.starts_with(mark)) {
                continue;
            }
            let what = match relation.kind {
                RelationKind::View => "VIEW",
                RelationKind::Sequence => "SEQUENCE",
                _ => "TABLE",
            };
            self.remove(format!("DROP {what} IF EXISTS {}", quoted(&relation.name)))?;
            dropped.push(relation.name);
        }
        Ok(dropped)
    }
}

pub(in crate::database) fn find<'a>(live: &'a [Relation], name: &str) -> Option<&'a Relation> {
    live.iter().find(|relation| relation.name == name)
}

pub(super) fn rename(pairs: &[(String, String)]) -> String {
    let list: Vec<String> = pairs
        .iter()
        .map(|(from, to)| format!("{} TO {}", quoted(from), quoted(to)))
        .collect();
    format!("RENAME TABLE {}", list.join(", "))
}

pub(super) fn drop_key(table: &str, key: &str) -> String {
    format!(
        "ALTER TABLE {} DROP FOREIGN KEY {}",
        quoted(table),
        quoted(key)
    )
}

pub(super) fn add_key(key: &ForeignKey) -> Vec<u8> {
    [
        format!("ALTER TABLE {} ", quoted(&key.table)).as_bytes(),
        &key.definition,
    ]
    .concat()
}

pub(in crate::database) fn of(name: &str, why: Error) -> Error {
    match why {
        Error::Database(text) => Error::Database(format!("`{name}`: {text}")),
        other => other,
    }
}
