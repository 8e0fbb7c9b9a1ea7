//! What a dump is asked for, and what it says of itself.

use serde::{Deserialize, Serialize};

/// Which tables of the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Those whose name starts with the site's `$table_prefix`, without those of another
    /// WordPress in the same database whose prefix starts so too; the sites of a network
    /// are the network's.
    #[default]
    Prefix,
    /// All of them, whosever they are.
    Database,
}

/// What becomes of the accounts in whose name views, triggers, routines and events
/// run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Definers {
    /// Left out: whoever restores becomes the definer.
    #[default]
    Strip,
    /// Kept: the account must exist where it is restored.
    Keep,
}

/// What to dump. The default is the site, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DumpOptions {
    /// Which tables of the database.
    pub scope: Scope,
    /// Only these tables and views (exact names, or a start followed by `*`); empty
    /// for all in scope.
    pub include: Vec<String>,
    /// Not these, in the same form.
    pub exclude: Vec<String>,
    /// Of these only the structure, in the same form.
    pub structure_only: Vec<String>,
    /// What becomes of definers.
    pub definers: Definers,
    /// Leaves a table out that may not be read, instead of failing.
    pub skip_unreadable: bool,
}

/// A right that the site's database user lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingRight {
    /// As in `GRANT`, e.g. `SHOW VIEW`.
    pub right: String,
    /// A table, view, routine, or the database.
    pub on: String,
}

/// A table in the dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpedTable {
    /// Its name.
    pub name: String,
    /// Rows written.
    pub rows: u64,
    /// Bytes of SQL for it.
    pub bytes: u64,
    /// Its engine, e.g. `InnoDB`.
    pub engine: String,
    /// Whether only its structure was asked for.
    pub structure_only: bool,
    /// Values that are not text in their column's character set, or in UTF-8; they
    /// are written in hexadecimal, and a server may refuse them.
    pub odd_texts: u64,
}

/// A view, trigger, routine or event in the dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpedProgram {
    /// `view`, `trigger`, `function`, `procedure`, `package`, `package body` or `event`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Something that was found and is not in the dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// What: `table`, `view`, `function`, `event`, …
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Why, as a sentence.
    pub why: String,
}

/// What was dumped. The dump itself holds no times, so that equal data give equal
/// bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpReport {
    /// The server's version as it says it.
    pub server: String,
    /// When the snapshot was taken, by our clock; milliseconds since 1970.
    pub snapshot_ms: u64,
    /// Milliseconds from connecting to the last byte.
    pub duration_ms: u64,
    /// Bytes written.
    pub bytes: u64,
    /// The largest statement in bytes: a server whose `max_allowed_packet` is smaller
    /// cannot restore the dump.
    pub largest_statement: u64,
    /// Tables and sequences, by name.
    pub tables: Vec<DumpedTable>,
    /// Views, triggers, routines and events, in the dump's order.
    pub programs: Vec<DumpedProgram>,
    /// Tables whose engine knows no snapshot (`MyISAM`, Aria, …): each is as it was
    /// when it was read, which may be later than the rest.
    pub non_transactional: Vec<String>,
    /// System-versioned tables: current rows only, without their history.
    pub without_history: Vec<String>,
    /// Tables without a primary key: rows stand in the order the server stores them.
    pub without_key: Vec<String>,
    /// Rights that are missing, and on what; what they would show is not in the dump.
    pub missing_rights: Vec<MissingRight>,
    /// What was found and left out.
    pub left_out: Vec<LeftOut>,
    /// How many definers were stripped.
    pub definers_stripped: u64,
    /// Collations in use, by name: what a server that restores must know or map.
    pub collations: Vec<String>,
}

impl DumpReport {
    /// Rows of all tables; they are a site's own word, and no sum of theirs overflows.
    pub fn rows(&self) -> u64 {
        self.tables
            .iter()
            .fold(0, |rows, table| rows.saturating_add(table.rows))
    }
}
