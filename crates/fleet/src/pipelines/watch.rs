//! Following a pipeline from outside.

use super::view::PipelineDetails;
use crate::{Caller, Fleet, Result, authorize::Action, views::Job};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use pressroom_base::id::{PipelineId, ShortId};
use pressroom_store::{jobs, pipelines};
use std::time::Duration;
use tokio::time::sleep;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// A pipeline as it stands.
#[derive(Debug, Clone)]
pub struct PipelineNow {
    /// The pipeline, with what it found.
    pub details: PipelineDetails,
    /// The job that is, or was last, at it.
    pub job: Option<Job>,
}

impl PipelineNow {
    /// What tells one state from the next.
    fn mark(&self) -> String {
        let job = self.job.as_ref().map(|job| {
            let state = (&job.state, &job.step, &job.message, job.progress);
            serde_json::json!([job.public_id, state])
        });
        serde_json::json!([self.details, job]).to_string()
    }
}

impl Fleet {
    /// A pipeline, and the job that is at it.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn pipeline_now(&self, caller: &Caller, id: &ShortId) -> Result<PipelineNow> {
        let row = self.pipeline_row(caller, Action::SiteRead, id).await?;
        let found = self.now_of(row.id).await?;
        found.ok_or_else(super::find::missing)
    }

    /// Follows a pipeline: the first state comes at once, others when something changed. Ends
    /// with the state in which it is over, or when it is forgotten.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn watch_pipeline(
        &self,
        caller: &Caller,
        id: &ShortId,
    ) -> Result<BoxStream<'static, PipelineNow>> {
        let row = self.pipeline_row(caller, Action::SiteRead, id).await?;
        let watch = Watch {
            fleet: self.clone(),
            id: row.id,
            last: None,
            over: false,
        };
        Ok(stream::unfold(watch, |mut watch| async move {
            let now = watch.next().await?;
            Some((now, watch))
        })
        .boxed())
    }

    async fn now_of(&self, id: PipelineId) -> Result<Option<PipelineNow>> {
        let store = &self.parts.store;
        let Some(row) = pipelines::get(store, id).await? else {
            return Ok(None);
        };
        let job = match row.job_id {
            Some(id) => jobs::get(store, id).await?,
            None => None,
        };
        let job = match job {
            Some(job) => Some(self.job_view(job).await?),
            None => None,
        };
        let details = self.pipeline_details(row).await?;
        Ok(Some(PipelineNow { details, job }))
    }
}

struct Watch {
    fleet: Fleet,
    id: PipelineId,
    last: Option<String>,
    over: bool,
}

impl Watch {
    async fn next(&mut self) -> Option<PipelineNow> {
        if self.over {
            return None;
        }
        loop {
            match self.fleet.now_of(self.id).await {
                Ok(Some(now)) => {
                    let mark = now.mark();
                    if self.last.as_ref() != Some(&mark) {
                        self.last = Some(mark);
                        self.over = now.details.pipeline.status.is_final();
                        return Some(now);
                    }
                }
                Ok(None) => return None,
                Err(error) => {
                    tracing::warn!(%error, "a watched pipeline could not be read");
                }
            }
            sleep(PAUSE).await;
        }
    }
}
