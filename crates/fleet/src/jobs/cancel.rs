//! Asking a job to stop.

use super::JobRef;
use crate::{Caller, Error, Fleet, Result, authorize::Action, views::Job};
use pressroom_base::{catalog::event, id::JobId};
use pressroom_jobs::{CancelOutcome, JobRow};
use serde_json::json;

impl Fleet {
    /// Asks a job to stop. What it began, or what asking for it wrote, is undone.
    ///
    /// Errors: `NotFound`; `Forbidden`, also for whom may not start such a job;
    /// `Conflict` when it has ended, or is past what can be taken back.
    pub async fn cancel_job(&self, caller: &Caller, id: JobId, reason: &str) -> Result<Job> {
        let row = self
            .job_row(caller, Action::JobCancel, &JobRef::Id(id))
            .await?;
        self.job_row(caller, Action::of_job(&row.kind), &JobRef::Id(id))
            .await?;
        if row.state.is_final() {
            return Err(over(&row, row.state.as_str()));
        }
        let reason: String = reason
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect();
        let tx = self.parts.store.begin().await?;
        match pressroom_jobs::cancel(&tx, &self.job_kinds(), id, &reason).await? {
            CancelOutcome::Cancelled | CancelOutcome::Requested => {}
            CancelOutcome::TooLate => return Err(over(&row, "over")),
            CancelOutcome::Irrevocable => {
                return Err(Error::conflict(format!(
                    "job {} has begun what cannot be taken back, and goes on to its end",
                    row.public_id
                )));
            }
        }
        self.note(
            &tx,
            caller,
            event::JOB_CANCEL_REQUESTED,
            row.account_id,
            json!({ "job": row.public_id, "reason": reason }),
        )
        .await?;
        tx.commit().await?;
        self.job_by_id(caller, Action::SiteRead, id).await
    }
}

fn over(row: &JobRow, state: &str) -> Error {
    Error::conflict(format!("job {} is already {state}", row.public_id))
}
