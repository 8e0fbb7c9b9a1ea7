//! T10.

use super::{RunningOut, backup_id};
use pressroom_fleet::database::ReplaceReport;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A text to replace.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ReplaceIn {
    /// The installation; required.
    pub id: Option<String>,
    /// What is searched, byte by byte; required.
    pub search: Option<String>,
    /// What replaces it, perhaps nothing; required.
    pub replace: Option<String>,
    /// Only count.
    pub dry_run: Option<bool>,
    /// Only these tables, by their whole names; all of the installation's when absent.
    pub tables: Option<Vec<String>>,
    /// Only `false`.
    pub regex: Option<bool>,
    /// Also `posts.guid`.
    pub include_guid: Option<bool>,
}

/// What became of a replacement.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum ReplaceOut {
    /// It is done, or was only counted.
    Done(ReplacedOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// What was replaced, or would be.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplacedOut {
    success: bool,
    /// Texts replaced.
    replacements: u64,
    /// Where, without the columns in which there was nothing.
    tables: Vec<ReplacedColumnOut>,
    dry_run: bool,
    /// The backup of the tables from before; `null` when nothing was written.
    backup_id: Option<String>,
}

/// One column.
#[derive(Serialize, ToSchema)]
pub struct ReplacedColumnOut {
    table: String,
    column: String,
    /// Texts replaced in it.
    count: u64,
}

impl ReplacedOut {
    /// The answer for a report, and the snapshot that was taken before.
    pub fn new(report: ReplaceReport, backup: Option<&str>) -> Self {
        let columns = report.tables.into_iter().flat_map(|table| {
            let name = table.name;
            table
                .columns
                .into_iter()
                .filter(|column| column.replacements > 0)
                .map(move |column| ReplacedColumnOut {
                    table: name.clone(),
                    column: column.name,
                    count: column.replacements,
                })
        });
        Self {
            success: true,
            replacements: report.replacements,
            tables: columns.collect(),
            dry_run: report.dry_run,
            backup_id: backup.map(backup_id),
        }
    }
}
