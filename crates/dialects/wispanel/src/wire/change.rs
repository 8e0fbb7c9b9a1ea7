//! T16–T18, T20, T22–T24, T26.

use super::{PluginOut, RunningOut, ThemeOut};
use serde::Serialize;
use utoipa::ToSchema;

/// What became of a change.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum ChangeOut {
    /// One component was asked for.
    One(Box<ChangedOut>),
    /// Several were.
    Bulk(BulkChangeOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// One component, as it is now.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// The plugin, unless it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<PluginOut>,
    /// The theme, unless it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<ThemeOut>,
    /// The theme that is active now, where themes were changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_theme: Option<String>,
}

/// Several components.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkChangeOut {
    /// Whether every one of them is as it was asked to be.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// One for each.
    pub results: Vec<ChangeResultOut>,
}

/// What became of one of several components.
#[derive(Serialize, ToSchema)]
pub struct ChangeResultOut {
    /// The plugin's folder, or what was asked for when there is no such plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The theme's directory, or what was asked for when there is no such theme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// Whether it is as it was asked to be.
    pub success: bool,
    /// Whether anything is different from before.
    pub changed: bool,
    /// What happened.
    pub message: String,
}
