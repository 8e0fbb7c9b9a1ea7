//! Whose turn it is: what is due begins, what was approved goes on, what nobody approved in
//! time is over.

use super::course::{APPLY, PREPARE, Payload, end_untouched};
use crate::{
    Caller, Fleet, Principal, Result,
    authorize::{Action, Resource, authorize},
    code,
    jobs::Enqueue,
    teller::Teller,
};
use pressroom_store::{PipelinePatch, PipelineRow, PipelineState, environments, pipelines};
use std::time::Duration;
use tokio::time::sleep;

/// Between looks for what is due.
const PAUSE: Duration = Duration::from_secs(1);

impl Fleet {
    /// Has pipelines go on when it is time, until it is dropped.
    pub async fn watch_pipelines(&self) {
        loop {
            match self.attend_to_pipelines().await {
                Ok(_) => sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!(%error, "pipelines do not go on, it is tried again");
                    sleep(PAUSE * 10).await;
                }
            }
        }
    }

    /// Has every pipeline go on whose time it is; says how many did.
    pub async fn attend_to_pipelines(&self) -> Result<usize> {
        let store = &self.parts.store;
        let mut moved = 0;
        for row in pipelines::disappointed(store).await? {
            let why = "a canary of its rollout did not end well";
            moved += usize::from(self.end_idle(&row, why).await?);
        }
        for row in pipelines::lapsed(store).await? {
            let why = "nobody approved it in time";
            moved += usize::from(self.end_idle(&row, why).await?);
        }
        for row in pipelines::due(store).await? {
            moved += usize::from(self.set_out(&row, PREPARE).await?);
        }
        let waiting = pipelines::waiting(store).await?;
        self.know_zones(&waiting).await;
        for row in waiting {
            if !self.is_held(&row).await? {
                moved += usize::from(self.set_out(&row, APPLY).await?);
            }
        }
        Ok(moved)
    }

    async fn end_idle(&self, row: &PipelineRow, why: &str) -> Result<bool> {
        let tx = self.parts.store.begin().await?;
        let ended = end_untouched(&tx, row.id, &[row.status], why, Teller::ourselves()).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Puts the next job of a pipeline into the queue, unless something else writes to its
    /// site: then its turn comes later.
    async fn set_out(&self, row: &PipelineRow, kind: &'static str) -> Result<bool> {
        let Some(environment) = environments::get(&self.parts.store, row.environment_id).await?
        else {
            return self.end_idle(row, "the site is no longer recorded").await;
        };
        let Some(caller) = self.still_may(row).await? else {
            let why = "whoever asked for it may not do it any more";
            return self.end_idle(row, why).await;
        };
        let payload = Payload { pipeline: row.id };
        let tx = self.parts.store.begin().await?;
        let job = Enqueue::writing(kind, &environment, &payload)?;
        let job = match self.enqueue(&tx, &caller, job).await {
            Ok(job) => job,
            Err(error) if error.code() == Some(code::OPERATION_RUNNING) => return Ok(false),
            Err(error) => return Err(error),
        };
        let patch = PipelinePatch {
            job_id: Some(job),
            ..PipelinePatch::default()
        };
        let from: &[PipelineState] = if kind == PREPARE {
            &[PipelineState::Pending, PipelineState::Preflight]
        } else {
            &[PipelineState::Approved]
        };
        if pipelines::change(&tx, row.id, from, patch).await?.is_none() {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Whoever asked for a pipeline, if they may still do that.
    async fn still_may(&self, row: &PipelineRow) -> Result<Option<Caller>> {
        let principal = match row.created_by {
            None => Some(Principal::console()),
            Some(person) => self.person(person).await?,
        };
        let owner = Resource::OfAccount(row.account_id);
        Ok(principal
            .filter(|principal| authorize(principal, Action::ComponentUpdate, owner).is_ok())
            .map(Caller::new))
    }
}
