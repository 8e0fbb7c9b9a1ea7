//! T09.

use super::RunningOut;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether an installation is to be in maintenance.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct MaintenanceIn {
    /// The installation; required.
    pub id: Option<String>,
    /// Required.
    pub enabled: Option<bool>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum MaintenanceOut {
    /// As it is now.
    Set(MaintenanceSetOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// What was seen at the site.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceSetOut {
    /// `true`.
    pub success: bool,
    /// Whether visitors get the maintenance page.
    pub maintenance: bool,
    /// For a person.
    pub message: String,
}
