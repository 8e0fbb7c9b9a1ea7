//! T19.

use super::{PluginOut, RunningOut};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to update: `plugin` or `plugins`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdatePluginIn {
    /// The installation; required.
    pub id: Option<String>,
    /// A folder, a `folder/file.php`, or `all`.
    pub plugin: Option<String>,
    /// At most 50 of them.
    pub plugins: Option<Vec<String>>,
}

/// What became of an update.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum UpdatePluginOut {
    /// One plugin was asked for.
    One(Box<UpdatedOut>),
    /// Several were.
    Bulk(BulkUpdateOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// One plugin, as it is now.
#[derive(Serialize, ToSchema)]
pub struct UpdatedOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// The plugin.
    pub plugin: PluginOut,
    /// Version before.
    pub old_version: String,
    /// Version now; equal when nothing newer is offered.
    pub new_version: String,
}

/// Several plugins.
#[derive(Serialize, ToSchema)]
pub struct BulkUpdateOut {
    /// Whether every one of them is as it was asked to be.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// One for each plugin asked for.
    pub results: Vec<UpdateResultOut>,
}

/// What became of one of several plugins.
#[derive(Serialize, ToSchema)]
pub struct UpdateResultOut {
    /// Its folder, or what was asked for when there is no such plugin.
    pub plugin: String,
    /// Whether it is as it was asked to be.
    pub success: bool,
    /// What happened.
    pub message: String,
    /// Version before.
    pub old_version: Option<String>,
    /// Version now.
    pub new_version: Option<String>,
}
