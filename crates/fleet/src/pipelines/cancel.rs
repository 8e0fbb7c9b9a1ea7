//! Stopping a pipeline.

use super::{course::end_untouched, view::Pipeline};
use crate::{Caller, Error, Fleet, Result, authorize::Action, teller::Teller};
use pressroom_base::id::ShortId;
use pressroom_store::{JobState, PipelineState, jobs, pipelines};

impl Fleet {
    /// Stops a pipeline. One that is not at the site is over at once; of one that is, the job
    /// is asked to stop, which takes back the target that is under way and leaves those that
    /// are settled.
    ///
    /// Errors: `Conflict` where it is over; `NotFound`, `Forbidden`.
    pub async fn cancel_pipeline(
        &self,
        caller: &Caller,
        id: &ShortId,
        reason: &str,
    ) -> Result<Pipeline> {
        let row = self
            .pipeline_row(caller, Action::ComponentUpdate, id)
            .await?;
        if row.status.is_final() {
            return Err(Error::conflict(format!(
                "the pipeline is over: it is {}",
                row.status
            )));
        }
        let job = match row.job_id {
            Some(id) => jobs::get(&self.parts.store, id).await?,
            None => None,
        };
        let busy = job.filter(|job| matches!(job.state, JobState::Queued | JobState::Running));
        if let Some(job) = busy {
            self.cancel_job(caller, job.id, reason).await?;
        } else {
            let idle = [
                PipelineState::Pending,
                PipelineState::Preflight,
                PipelineState::AwaitingApproval,
                PipelineState::Approved,
            ];
            let why = Some(reason)
                .filter(|reason| !reason.is_empty())
                .unwrap_or("it was cancelled");
            let tx = self.parts.store.begin().await?;
            if !end_untouched(&tx, row.id, &idle, why, Teller::of(caller)).await? {
                return Err(Error::conflict("the pipeline has just gone on; try again"));
            }
            tx.commit().await?;
        }
        let row = pipelines::get(&self.parts.store, row.id).await?;
        self.pipeline_view(row.ok_or_else(|| Error::not_found("pipeline"))?)
            .await
    }
}
