//! What is asked and what is answered.

use crate::{Error, Result};
use pressroom_phpdata::serialized::{Objects, Pair, Replacer, Rules};
use serde::{Deserialize, Serialize};

/// One text and what is put in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPair {
    /// What is searched; bytes are compared.
    pub old: String,
    /// What replaces it.
    pub new: String,
}

/// What happens to strings inside serialized objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectRule {
    /// Values of properties are replaced; names and structure stay.
    #[default]
    Values,
    /// An object keeps every byte.
    Keep,
}

/// What to replace where. Names of tables and columns are compared as written; a
/// column may be named alone or as `table.column`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches that travel by name"
)]
pub struct ReplaceOptions {
    /// At each place the longest search text counts; what was put in is not searched
    /// again.
    pub pairs: Vec<TextPair>,
    /// Names this run, letters, digits, `-` and `_`, e.g. a job's id. A run that was
    /// interrupted goes on when it is called again with the same name and options;
    /// any other starts afresh.
    pub run: String,
    /// Only count.
    pub dry_run: bool,
    /// All tables of the database, whatever their prefix.
    pub all_tables: bool,
    /// Only these tables; empty for all in scope.
    pub tables: Vec<String>,
    /// Not these tables.
    pub skip_tables: Vec<String>,
    /// Only these columns; empty for all.
    pub columns: Vec<String>,
    /// Not these columns.
    pub skip_columns: Vec<String>,
    /// Also `posts.guid`.
    pub guid: bool,
    /// Also columns of bytes (`blob`, `binary`).
    pub blobs: bool,
    /// Also each pair as JSON writes it, `http:\/\/old` for `http://old`.
    pub json: bool,
    /// Strings inside objects.
    pub objects: ObjectRule,
    /// Treat domains and paths of a network by [`super::Domains`].
    pub domains: bool,
    /// Connections at once, 1 to 8; 0 for the usual number.
    pub connections: u8,
}

impl Default for ReplaceOptions {
    fn default() -> Self {
        Self {
            pairs: Vec::new(),
            run: "replace".to_owned(),
            dry_run: false,
            all_tables: false,
            tables: Vec::new(),
            skip_tables: Vec::new(),
            columns: Vec::new(),
            skip_columns: Vec::new(),
            guid: false,
            blobs: false,
            json: true,
            objects: ObjectRule::default(),
            domains: true,
            connections: 0,
        }
    }
}

impl ReplaceOptions {
    /// The replacer for these pairs or for some of them.
    pub(super) fn replacer<'a>(
        &self,
        pairs: impl IntoIterator<Item = &'a TextPair>,
    ) -> Result<Replacer> {
        let pairs: Vec<Pair> = pairs
            .into_iter()
            .map(|pair| Pair::new(pair.old.as_str(), pair.new.as_str()))
            .collect();
        let rules = Rules {
            json: self.json,
            objects: match self.objects {
                ObjectRule::Values => Objects::Values,
                ObjectRule::Keep => Objects::Keep,
            },
        };
        Replacer::with(&pairs, rules).map_err(|why| Error::BadInput(why.to_string()))
    }

    pub(super) fn check(&self) -> Result<()> {
        let named = (1..=64).contains(&self.run.len())
            && self
                .run
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !named {
            return Err(Error::BadInput(format!("`{}` cannot name a run", self.run)));
        }
        if self.connections > 8 {
            return Err(Error::BadInput("more than 8 connections".to_owned()));
        }
        Ok(())
    }
}

/// What was done, and what was seen afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceReport {
    /// Nothing was written; figures say what would be.
    pub dry_run: bool,
    /// An interrupted run was continued; its figures are included.
    pub resumed: bool,
    /// Every table in scope, by name.
    pub tables: Vec<TableReport>,
    /// Rows changed.
    pub rows: u64,
    /// Texts replaced in them.
    pub replacements: u64,
    /// Values that hold broken serialized data with a search text; left as they are.
    pub broken: u64,
    /// Rows that could not be written; left as they are.
    pub failed: u64,
    /// After a real run: whether the server finds search texts in just those rows where
    /// they had to stay ([`ColumnReport::left`]). `None` for a dry run.
    pub verified: Option<bool>,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// Rows changed.
    pub rows: u64,
    /// Whether a batch is written whole or not at all; not so with e.g. `MyISAM`.
    pub transactional: bool,
    /// Why nothing was replaced here.
    pub skipped: Option<String>,
    /// Its columns that may hold text.
    pub columns: Vec<ColumnReport>,
}

/// One column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// Why nothing was replaced here.
    pub skipped: Option<String>,
    /// Rows whose value was changed.
    pub rows: u64,
    /// Texts replaced.
    pub replacements: u64,
    /// Serialized values, at any fold, that PHP could not read; left as they are.
    pub broken: u64,
    /// Keys of the first rows with such values.
    pub broken_keys: Vec<String>,
    /// Rows that could not be written.
    pub failed: u64,
    /// The first of them.
    pub failures: Vec<RowFailure>,
    /// Rows that must hold a search text afterwards: broken and failed ones, those with
    /// one in an array's key or a class' name, those whose new text holds an old one.
    /// For a skipped column or table unknown here, and 0.
    pub left: u64,
    /// Rows in which the server found a search text after the run; in skipped columns
    /// and tables also for a dry run.
    pub remaining: Option<u64>,
}

/// A row that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFailure {
    /// Its key.
    pub key: String,
    /// What the server said.
    pub why: String,
}
