//! T07, T08.

use super::RunningOut;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A version to go to.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateCoreIn {
    /// The installation; required.
    pub id: Option<String>,
    /// The newest that is offered when absent.
    pub version: Option<String>,
    /// Stays within the branch, such as 6.5.
    pub minor_only: bool,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum UpdateCoreOut {
    /// The version is live.
    Updated(CoreUpdatedOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// The versions before and now.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoreUpdatedOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// Before.
    pub old_version: String,
    /// Now; equal when there was nothing newer.
    pub new_version: String,
}

/// An installation whose files are to be laid down anew.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ReinstallCoreIn {
    /// The installation; required.
    pub id: Option<String>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum ReinstallCoreOut {
    /// The files are those of the package.
    Done(CoreReinstalledOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// The version, which stays the same.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoreReinstalledOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// Of WordPress.
    pub version: String,
}
