//! Work that goes on as a job.

use serde::Serialize;
use utoipa::ToSchema;

/// It takes longer than a request, or than a minute.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunningOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: &'static str,
    /// The job's id.
    pub job_id: String,
    /// Where to follow it.
    pub progress_url: String,
}
