//! T11.

use super::{BackupOut, RunningOut};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An installation to delete.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct DeleteIn {
    /// The installation; required here or as `?id=`.
    pub id: Option<String>,
    /// The database and its user, if they were made for it; `true` when absent.
    pub delete_database: Option<bool>,
    /// WordPress' own files and `wp-content`; `true` when absent.
    pub delete_files: Option<bool>,
    /// Whether a full backup is taken first; it outlives the installation.
    pub backup: Option<bool>,
}

/// What became of a deletion.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum DeleteOut {
    /// It is gone.
    Done(Box<DeletedOut>),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// It is gone.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeletedOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: &'static str,
    /// The backup of it, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupOut>,
    /// Where whoever has this address may download that backup, for a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<String>,
}
