//! Work that outlives a request: waited for, and told as if the request had done it.

use crate::wire::{RunningOut, progress_url};
use pressroom_base::Kind;
use pressroom_dialect_http::Call;
use pressroom_fleet::{Error, views::Job};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// How long a caller waits before the work goes on as a job (T07).
const PATIENCE: Duration = Duration::from_mins(1);

/// The job as it is once it is final, or after a minute.
pub async fn wait(call: &Call, job: &Job) -> Result<Job, Error> {
    call.fleet
        .wait_for_job(&call.caller, job.id, PATIENCE)
        .await
}

/// What a final job left behind, also where it failed having done a part; without
/// that, its failure.
pub fn report<T: DeserializeOwned>(job: &Job) -> Result<T, Error> {
    let left = job.result.as_ref();
    left.and_then(|result| serde_json::from_value(result.clone()).ok())
        .ok_or_else(|| failure(job))
}

/// What a completed job left behind; where it failed, its failure.
pub fn outcome<T: DeserializeOwned>(job: &Job) -> Result<T, Error> {
    match job.failure() {
        Some(failure) => Err(failure),
        None => report(job),
    }
}

/// The job's own error, as if the request itself had met it.
pub fn failure(job: &Job) -> Error {
    let unsaid = || Error::new(Kind::Internal, "a job ended without a result");
    job.failure().unwrap_or_else(unsaid)
}

/// The answer to a caller whose work goes on as a job.
pub fn running(job: Job, message: &'static str) -> RunningOut {
    RunningOut {
        success: true,
        message,
        progress_url: progress_url(&job.public_id),
        job_id: job.public_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ended, error};
    use pressroom_fleet::code;

    #[test]
    fn a_job_without_a_report_fails_as_the_job_did() {
        let failed = |state: &str, why| report::<u8>(&ended(state, None, why)).expect_err("none");
        let busy = error(Kind::Busy, code::OPERATION_RUNNING, "held");
        let failure = failed("failed", Some(busy));
        assert_eq!(
            (failure.kind(), failure.code()),
            (Kind::Busy, Some(code::OPERATION_RUNNING))
        );
        assert_eq!(failed("cancelled", None).kind(), Kind::Conflict);
        assert_eq!(failed("completed", None).kind(), Kind::Internal);
    }
}
