//! Asking a job to stop.

use super::JobRef;
use crate::{Caller, Error, Fleet, Result, authorize::Action, views::Job};
use pressroom_base::{catalog::event, id::JobId};
use serde_json::json;

impl Fleet {
    /// Asks a job to stop. A queued one ends at once, a running one undoes what it
    /// began; a final one is a conflict.
    pub async fn cancel_job(&self, caller: &Caller, id: JobId, reason: &str) -> Result<Job> {
        let row = self
            .job_row(caller, Action::JobCancel, &JobRef::Id(id))
            .await?;
        if row.state.is_final() {
            return Err(Error::conflict(format!(
                "job {} is already {}",
                row.public_id,
                row.state.as_str()
            )));
        }
        let reason: String = reason
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect();
        let tx = self.parts.store.begin().await?;
        pressroom_jobs::cancel(&tx, id, &reason).await?;
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
