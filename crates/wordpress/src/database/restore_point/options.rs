//! What a restore point is asked for, and what it says.

use serde::{Deserialize, Serialize};

/// How to take a point.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PointOptions {
    /// The handle of an earlier point: copies of its tables that are still the same are
    /// used again instead of being made. Either may be dropped before the other.
    pub reuse: Option<String>,
    /// Tables that are not kept (exact names, or a start followed by `*`): logs.
    pub leave_out: Vec<String>,
}

/// A point that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// What the other calls know it by.
    pub handle: String,
    /// Its tables, by name.
    pub tables: Vec<PointTable>,
    /// Bytes of the tables that were copied, indexes included, as the server estimates.
    pub bytes: u64,
    /// Milliseconds in all.
    pub took_ms: u64,
    /// What of the site is not kept, and why.
    pub left_out: Vec<NotKept>,
    /// Tables whose engine knows no snapshot (`MyISAM`, Aria): written to while they were
    /// copied, they are as they were at some instant meanwhile.
    pub non_transactional: Vec<String>,
}

/// A table of a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointTable {
    /// Its name.
    pub name: String,
    /// Its rows, counted.
    pub rows: u64,
    /// Of its content; see [`crate::database::TableChecksum`].
    pub content: String,
    /// The copy is an earlier point's.
    pub reused: bool,
}

/// Something of the site that a point does not keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotKept {
    /// Its name.
    pub name: String,
    /// Why, as a sentence.
    pub why: String,
}

/// What happened to the tables between [`super::take`] and [`super::seal`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedPoint {
    /// Tables that differ, by name.
    pub changed: Vec<TableChange>,
    /// Tables that are new.
    pub created: Vec<String>,
    /// Tables that are gone.
    pub dropped: Vec<String>,
    /// Milliseconds in all.
    pub took_ms: u64,
}

/// How a table differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableChange {
    /// Its name.
    pub name: String,
    /// Columns, indexes, options or triggers differ.
    pub structure: bool,
    /// Rows, by the key; `None` for a table whose rows cannot be told apart.
    pub rows: Option<ChangedRows>,
}

/// How many rows differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedRows {
    /// Rows that came.
    pub added: u64,
    /// Rows that are not what they were.
    pub changed: u64,
    /// Rows that went.
    pub removed: u64,
}

/// How to take an update back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MergeOptions {
    /// Others may have written since the point was taken. Matters only for a point that
    /// was never sealed: nothing tells their rows from the update's then, so that rows only
    /// the tables of now have stay, and these tables are kept aside as they are now.
    pub open: bool,
}

/// What became of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// It is as it was already.
    Already,
    /// It is as it was again, every row of it.
    Exact,
    /// What the update did is taken back; what others wrote since is there.
    Merged,
    /// It is as it was, and what others wrote since is aside: its rows have no key to tell
    /// them by, or its structure allows nothing else.
    Whole,
    /// The update had made it; it is aside, and goes with the point.
    Dropped,
    /// The update had dropped it; it is there again.
    Returned,
    /// Nothing was done, for the reason that is noted.
    Kept,
}

/// One table that the update changed, taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableMerge {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub how: Made,
    /// Rows that returned: inserted, set back, or removed as the update's own.
    pub rows_returned: u64,
    /// Rows that are not as they were: others wrote them since.
    pub rows_kept: u64,
    /// Rows both the update and somebody since had changed: they are as they are now.
    pub conflicts_total: u64,
    /// The first of them.
    pub conflicts: Vec<Conflict>,
    /// The table that keeps what was there before, as long as the point is.
    pub aside: Option<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
    /// Looked at afterwards: the checksum is that of before (`already`, `exact`,
    /// `returned`, `whole`), or each row the update had changed is as it was or listed
    /// (`merged`), or there is no such table (`dropped`).
    pub verified: bool,
}

/// A row that was left as somebody wrote it, or a row that could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Its key: column and value.
    pub key: Vec<ConflictValue>,
    /// What happened to it.
    pub kind: ConflictKind,
    /// Columns in which it is not what it was, values cut short and never secret.
    pub columns: Vec<ConflictValue>,
}

/// Why a row is not as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// Somebody changed it after the update had.
    Changed,
    /// Somebody removed it after the update had changed it.
    Removed,
    /// Somebody changed a row that the update had added.
    ChangedNew,
    /// The update had removed it, and somebody wrote one of the same key.
    WrittenAgain,
    /// It cannot return: another row has a value that may be there once only.
    Taken,
    /// It does not fit the table as it was; it is in the table aside.
    DoesNotFit,
}

/// A column and two of its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictValue {
    /// The column.
    pub column: String,
    /// Before the update; `None` for `NULL`, and where there was no row.
    pub before: Option<String>,
    /// Now.
    pub now: Option<String>,
}

/// Rows that change by themselves, and so are nobody's writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolatileRows {
    /// The table.
    pub table: String,
    /// Which, as in [`super::VOLATILE`].
    pub pattern: String,
    /// How many had been changed by the update and again since.
    pub rows: u64,
}

/// What [`super::merge`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeReport {
    /// Tables that the update had changed, made or dropped, by name. The others were left
    /// alone.
    pub tables: Vec<TableMerge>,
    /// Rows that follow a rule of their own.
    pub volatile: Vec<VolatileRows>,
    /// Views and the like that differ from before and are left as they are.
    pub left: Vec<NotKept>,
    /// The point was never sealed: what differed from before was taken for the update's.
    pub late: bool,
    /// All tables were looked at afterwards and are what this says.
    pub verified: bool,
    /// Milliseconds in all.
    pub took_ms: u64,
}

impl MergeReport {
    /// Rows that are listed as somebody's writing.
    pub fn conflicts(&self) -> u64 {
        self.tables
            .iter()
            .fold(0, |sum, table| sum.saturating_add(table.conflicts_total))
    }
}
