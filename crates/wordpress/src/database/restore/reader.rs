//! What is known while a dump is read, and how names in it are taken.

use super::{collations::Collations, cursor::Cursor, options::OtherTables, session::Sessions};
use crate::{
    Error, Result,
    database::{share::Share, sql::Server, working::Run},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Engines whose tables lie in the database alone.
const ENGINES: [&str; 6] = ["innodb", "myisam", "aria", "memory", "archive", "csv"];

/// A table that is being loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loading {
    pub working: String,
    /// Has a primary key: its rows may be stored in any order.
    pub keyed: bool,
    /// Rows of a dump of ours may be sent as bytes.
    pub bytes: bool,
}

/// What is known while a dump is read.
pub(super) struct Reader {
    pub server: Server,
    pub database: String,
    /// The database that was dumped, where the dump says so: its name means ours.
    pub source: Option<String>,
    /// What the site has; a dump may bring the sites of a network.
    pub share: Share,
    pub others: OtherTables,
    /// Another prefix, which becomes the site's.
    pub from: Option<String>,
    pub run: Run,
    pub collations: Collations,
    /// Engines that this server has, lower case.
    pub engines: BTreeSet<String>,
    pub sessions: Sessions,
    /// By real name.
    pub tables: BTreeMap<String, Loading>,
    pub counted: usize,
    pub engines_replaced: BTreeSet<(String, String)>,
    pub passed_over: BTreeSet<String>,
    pub definers_changed: u64,
}

impl Reader {
    /// A name at the cursor, in this database; and where it stands.
    pub fn name(&self, cursor: &mut Cursor) -> Result<(String, Range<usize>)> {
        let first = cursor
            .next()
            .ok_or_else(|| refused("a name that is missing"))?;
        let name = first.name().ok_or_else(|| refused("a name that is none"))?;
        if !cursor.peek().is_some_and(|token| token.is_symbol(b'.')) {
            return Ok((self.own(name), first.start..first.end()));
        }
        cursor.next();
        if !self.is_ours(&name) {
            return Err(refused(&format!("a name in another database, `{name}`,")));
        }
        let last = cursor
            .next()
            .ok_or_else(|| refused("a name that is missing"))?;
        let name = last.name().ok_or_else(|| refused("a name that is none"))?;
        Ok((self.own(name), first.start..last.end()))
    }

    /// A name under the site's prefix, where it has the one that becomes it.
    fn own(&self, name: String) -> String {
        let rest = self
            .from
            .as_deref()
            .and_then(|from| name.strip_prefix(from));
        match rest {
            Some(rest) => format!("{}{rest}", self.share.prefix()),
            None => name,
        }
    }

    pub fn is_ours(&self, database: &str) -> bool {
        database == self.database || self.source.as_deref() == Some(database)
    }

    /// The engine to use for this one.
    pub fn engine(&mut self, name: &str, table: &str) -> String {
        let lower = name.to_ascii_lowercase();
        if ENGINES.contains(&lower.as_str()) && self.engines.contains(&lower) {
            return name.to_owned();
        }
        let from = format!("{table} ({name})");
        self.engines_replaced.insert((from, "InnoDB".to_owned()));
        "InnoDB".to_owned()
    }

    /// Whether a thing of this name is to be restored.
    pub fn admits(&mut self, kind: &str, name: &str) -> Result<bool> {
        if name.chars().count() > 64 || name.contains('\0') {
            return Err(refused(&format!("`{name}`, which is too long for a name,")));
        }
        if self.share.holds(name) || self.others == OtherTables::Restore {
            return Ok(true);
        }
        if self.others == OtherTables::Refuse && self.share.stranger(name).is_none() {
            return Err(refused(&format!(
                "{kind} `{name}`, whose name does not start with the site's prefix `{}`,",
                self.share.prefix()
            )));
        }
        self.passed_over.insert(format!("{kind} {name}"));
        Ok(false)
    }
}

/// A refusal that names what was found.
pub(super) fn refused(what: &str) -> Error {
    Error::BadInput(format!(
        "the dump holds {what} which a restore does not run"
    ))
}
