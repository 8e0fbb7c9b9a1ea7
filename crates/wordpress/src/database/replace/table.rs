//! Tables, columns and keys as search-replace sees them.

use serde::{Deserialize, Serialize};

/// The values of a row's key, as the server wrote them.
pub(super) type Key = Vec<Vec<u8>>;

/// A table in scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    /// Names every row; empty when nothing does.
    pub(super) key: Vec<KeyPart>,
    /// Columns to replace in.
    pub(super) columns: Vec<Column>,
    /// Columns that hold text and are left, and why.
    pub(super) left: Vec<(Column, &'static str)>,
    /// Columns that the server would stamp by itself when a row is written.
    pub(super) stamps: Vec<String>,
    pub(super) transactional: bool,
    /// Why the whole table is left.
    pub(super) skipped: Option<&'static str>,
    /// Bytes, as the server estimates them.
    pub(super) size: u64,
    /// Positions in `columns` of a network's domain and path.
    pub(super) place: Option<(usize, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// `MySQL`'s own type, which takes text and no bytes.
    pub(super) json: bool,
    /// The character set that its text is converted from, see [`charset`].
    pub(super) charset: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyPart {
    pub(super) name: String,
    pub(super) kind: KeyKind,
}

/// How a part of a key is written in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyKind {
    Integer,
    /// Text in this character set.
    Text(String),
    Bytes,
    /// What the server reads from a quoted word: dates, decimals, UUIDs.
    Plain,
}

/// Text that may be null.
pub(super) type Text = Option<Vec<u8>>;

/// A range of a table's key that one worker goes through. Both ends are integers and
/// belong to it; only tables with one integer for a key are divided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range {
    /// Position of the table.
    pub(super) table: usize,
    /// Its name, so that a range is never applied to another.
    pub(super) name: String,
    pub(super) from: Option<i128>,
    pub(super) to: Option<i128>,
}

/// A column as the server describes it.
pub(super) struct Raw {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) charset: String,
    pub(super) extra: String,
    pub(super) generated: bool,
    pub(super) nullable: bool,
}

/// A unique index: its columns in order, and whether only a part of each counts.
#[derive(Debug, Default)]
pub(super) struct Unique {
    pub(super) name: String,
    pub(super) parts: Vec<(String, bool)>,
}
