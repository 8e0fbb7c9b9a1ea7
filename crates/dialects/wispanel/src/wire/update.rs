//! T19, T25.

use super::{PluginOut, RunningOut, ThemeOut};
use serde::Serialize;
use utoipa::ToSchema;

/// What became of an update.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum UpdateOut {
    /// One component was asked for.
    One(Box<UpdatedOut>),
    /// Several were.
    Bulk(BulkUpdateOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// One component, as it is now.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatedOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// The plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginOut>,
    /// The theme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<ThemeOut>,
    /// Version before.
    pub old_version: String,
    /// Version now; equal when nothing newer is offered.
    pub new_version: String,
}

/// Several components.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkUpdateOut {
    /// Whether every one of them is as it was asked to be.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// One for each.
    pub results: Vec<UpdateResultOut>,
}

/// What became of one of several components.
#[derive(Serialize, ToSchema)]
pub struct UpdateResultOut {
    /// The plugin's folder, or what was asked for when there is no such plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The theme's directory, or what was asked for when there is no such theme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// Whether it is as it was asked to be.
    pub success: bool,
    /// What happened.
    pub message: String,
    /// Version before.
    pub old_version: Option<String>,
    /// Version now.
    pub new_version: Option<String>,
}
