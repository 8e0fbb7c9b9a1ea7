//! The job object (§4).

use super::{BackupResultOut, CloneResultOut, InstallationOut, RestoreResultOut};
use pressroom_base::Timestamp;
use pressroom_fleet::views::{Job, Step};
use serde::Serialize;
use utoipa::ToSchema;

/// A job. All 12 members are always there.
#[derive(Serialize, ToSchema)]
pub struct JobOut {
    id: String,
    installation_id: Option<String>,
    /// `install`, `plugin_update`, …
    r#type: String,
    /// `queued`, `running`, `completed` or `failed`.
    status: &'static str,
    /// 0 to 100, never falling.
    progress: i32,
    step: String,
    message: String,
    steps: Vec<StepOut>,
    result: Option<JobResultOut>,
    error: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
}

/// One step.
#[derive(Serialize, ToSchema)]
pub struct StepOut {
    name: String,
    /// `running`, `done`, `failed` or `undone`.
    status: String,
}

/// What a job produced.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum JobResultOut {
    /// Of an installation.
    Install(Box<InstallResultOut>),
    /// Of a copy.
    Clone(Box<CloneResultOut>),
    /// Of a backup, or of a deletion that took one first.
    Backup(Box<BackupResultOut>),
    /// Of an installation as it was.
    Restore(Box<RestoreResultOut>),
    /// Of a new user, or of a password that was changed.
    User(UserResultOut),
}

/// Whom a job was about.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserResultOut {
    /// Login name.
    pub username: String,
    /// Their generated password, shown once.
    pub password: Option<String>,
}

/// What an installation produced.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallResultOut {
    /// The installation.
    pub installation: InstallationOut,
    /// Its administrator.
    pub admin_user: String,
    /// Their generated password, shown once.
    pub admin_password: Option<String>,
}

impl JobOut {
    /// The object for a job and what it produced.
    pub fn new(job: Job, result: Option<JobResultOut>) -> Self {
        let status = status(&job.state);
        Self {
            id: job.public_id,
            installation_id: job.panel_id,
            r#type: kind(&job.kind).to_owned(),
            status,
            progress: job.progress,
            step: job.step,
            message: job.message,
            steps: job.steps.into_iter().map(StepOut::from).collect(),
            result,
            // A job that is tried again remembers its last failure; it has not failed.
            error: job
                .error
                .filter(|_| status == "failed")
                .map(|error| error.message),
            started_at: job.started_at.map(Timestamp::to_rfc3339),
            finished_at: job.finished_at.map(Timestamp::to_rfc3339),
        }
    }
}

impl From<Step> for StepOut {
    fn from(step: Step) -> Self {
        Self {
            name: step.name,
            status: step.state,
        }
    }
}

/// This dialect knows four states.
fn status(state: &str) -> &'static str {
    match state {
        "queued" => "queued",
        "completed" => "completed",
        "failed" | "cancelled" | "dead" => "failed",
        _ => "running",
    }
}

fn kind(kind: &str) -> &str {
    match kind {
        "site_install" => "install",
        "site_clone" => "clone",
        "component_update" => "plugin_update",
        "site_login" => "auto_login",
        "site_maintenance" => "maintenance",
        "site_cache" => "cache",
        "site_security" => "security",
        "site_user_add" => "admin_create",
        "site_password_reset" => "password_reset",
        "site_snapshot" => "backup",
        "site_restore" => "restore",
        "site_search_replace" => "search_replace",
        "site_remove" => "delete",
        other => other,
    }
}
