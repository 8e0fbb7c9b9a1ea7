//! What a restore is asked for, and what it says.

use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};

/// What becomes of things in the dump whose name lacks the site's `$table_prefix`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherTables {
    /// The dump is refused.
    #[default]
    Refuse,
    /// They are passed over, and named.
    Skip,
    /// They are restored too: the dump is one of a whole database.
    Restore,
}

/// How to restore.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestoreOptions {
    /// What becomes of tables, views and triggers without the site's prefix. Those of
    /// another WordPress that lives in the same database under a longer prefix
    /// (`wp_shop_` beside `wp_`) are passed over, if not restored with all others.
    pub others: OtherTables,
    /// Puts tables and views with the site's prefix that the dump does not hold
    /// aside as well; otherwise they stay. Never those of another WordPress.
    pub remove_unknown: bool,
    /// Goes on where the server changed values to store them (too long, out of
    /// range, not in the character set); otherwise nothing is put in place.
    pub accept_changed_values: bool,
    /// The prefix of the dump's tables where they are another site's: they get the
    /// site's own, and so do the role list and what users have under it. Views and stored
    /// programs, whose text names tables, are refused where the two differ. A network is
    /// refused on either side, also where they do not.
    pub from_prefix: Option<String>,
    /// Connections that load at the same time; 0 for as many as pay.
    pub connections: usize,
}

/// The tables as they were, kept by the side until they are dropped or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// The epoch of the restore.
    pub epoch: Epoch,
    /// What the names of its tables start with.
    pub stem: String,
    /// The names that they had.
    pub tables: Vec<String>,
}

/// A table that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedTable {
    /// Its name.
    pub name: String,
    /// Rows in the dump, each of which the server confirmed.
    pub rows: u64,
}

/// Something that this server does not know, and what took its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Substitution {
    /// In the dump.
    pub from: String,
    /// On this server.
    pub to: String,
}

/// The server's word on a value that it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableWarning {
    /// The table.
    pub table: String,
    /// The server's number, e.g. 1366.
    pub code: u16,
    /// The server's sentence, without the row.
    pub text: String,
    /// How often at least: a server keeps 64 warnings of a statement.
    pub count: u64,
}

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreReport {
    /// Tables and sequences now in place, by name.
    pub tables: Vec<LoadedTable>,
    /// Views, triggers, routines and events now in place: `trigger wp_t`.
    pub programs: Vec<String>,
    /// What was in their place.
    pub aside: Option<Aside>,
    /// Tables with the site's prefix that the dump does not hold and that stayed.
    pub untouched: Vec<String>,
    /// Tables and views of another WordPress whose prefix starts with the site's: they
    /// were there and stayed as they were.
    #[serde(default)]
    pub of_others: Vec<String>,
    /// Collations and character sets that this server does not know.
    pub collations: Vec<Substitution>,
    /// Storage engines that this server does not have, or that reach elsewhere:
    /// `table (engine)`, and what it is now.
    pub engines: Vec<Substitution>,
    /// How many definers became the site's database user.
    pub definers_changed: u64,
    /// Statements and things that were passed over, each named.
    pub passed_over: Vec<String>,
    /// Values that the server changed.
    pub warnings: Vec<TableWarning>,
    /// Bytes of SQL read.
    pub bytes: u64,
    /// Milliseconds in all.
    pub duration_ms: u64,
    /// Milliseconds in which the tables were exchanged: from before `RENAME TABLE`
    /// until the last view and trigger was back.
    pub exchange_ms: u64,
}

impl RestoreReport {
    /// Rows of all tables; they are a site's own word, and no sum of theirs overflows.
    pub fn rows(&self) -> u64 {
        self.tables
            .iter()
            .fold(0, |rows, table| rows.saturating_add(table.rows))
    }
}
