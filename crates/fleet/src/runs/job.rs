//! The job that carries a run out. It may be begun again by another worker after any
//! interruption: what items there are and how each stands is in their rows.

use super::{course::Course, end, start};
use crate::{Error, Fleet, Result};
use async_trait::async_trait;
use pressroom_base::{Kind, catalog::event};
use pressroom_jobs::{
    Class, Interruption, JobContext, JobFailure, JobKind, JobRow, Lane, RetryPolicy,
};
use pressroom_store::{RunItemEnd, RunItemState, RunRow, RunState, Scope, Tx, runs};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::sleep;

/// Between looks at items that were asked to stop.
const SETTLING: Duration = Duration::from_millis(100);

/// Carries out a run.
pub(crate) struct RunJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for RunJob {
    fn name(&self) -> &'static str {
        start::KIND
    }

    fn lane(&self) -> Lane {
        Lane::Read
    }

    /// A store that is away for a while must not end a run.
    fn retry(&self) -> RetryPolicy {
        RetryPolicy {
            bug: true,
            ..RetryPolicy::transport()
        }
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    /// Its items wait for an end.
    fn undo_unbegun(&self) -> bool {
        true
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let run = row_of(&self.0, ctx).await?;
        let course = Course::of(&self.0, ctx, run.clone()).await?;
        Box::pin(course.run()).await?;
        Ok(finish(&self.0, ctx, &run, RunState::Ended).await?)
    }

    /// What waits never begins, what runs is stopped; each item ends.
    async fn undo(
        &self,
        ctx: &JobContext,
        why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        let run = row_of(&self.0, ctx).await?;
        settle(&self.0, ctx, &run, why).await?;
        finish(&self.0, ctx, &run, RunState::Cancelled).await?;
        Ok(())
    }

    async fn given_up(
        &self,
        tx: &Tx,
        job: &JobRow,
    ) -> std::result::Result<Option<String>, pressroom_store::Error> {
        let Ok(payload) = start::Payload::deserialize(&job.payload) else {
            return Ok(None);
        };
        let never = RunItemEnd::new(RunItemState::Cancelled, "the run was given up");
        runs::end_all(tx, payload.run, RunItemState::Waiting, &never).await?;
        runs::end_all(tx, payload.run, RunItemState::Running, &end::interrupted()).await?;
        runs::end(tx, payload.run, RunState::Cancelled).await?;
        Ok(Some(
            "`pressroom run resume` does what was not begun".to_owned(),
        ))
    }
}

async fn row_of(fleet: &Fleet, ctx: &JobContext) -> Result<RunRow> {
    let payload: start::Payload = ctx.payload()?;
    runs::get(&fleet.parts.store, payload.run)
        .await?
        .ok_or_else(|| Error::new(Kind::NotFound, "the run is no longer recorded"))
}

/// Stops what is under way, and waits until each item has ended.
async fn settle(fleet: &Fleet, ctx: &JobContext, run: &RunRow, why: &JobFailure) -> Result<()> {
    let stopped = match why.class {
        Class::User => "stopped before its turn came".to_owned(),
        _ => format!("never begun: {}", why.message),
    };
    let tx = ctx.begin().await?;
    runs::take_up_begun(&tx, run.id, ctx.id()).await?;
    let never = RunItemEnd::new(RunItemState::Cancelled, stopped);
    runs::end_all(&tx, run.id, RunItemState::Waiting, &never).await?;
    tx.commit().await?;
    let mut asked = false;
    loop {
        let running = runs::items_in(&fleet.parts.store, run.id, RunItemState::Running).await?;
        if running.is_empty() {
            return Ok(());
        }
        let tx = ctx.begin().await?;
        for item in &running {
            let job = match item.job_id {
                Some(id) => pressroom_store::jobs::get(&tx, id).await?,
                None => None,
            };
            if let Some(end) = end::of_job(job.as_ref()) {
                runs::end_item(&tx, item.id, &end).await?;
            } else if let (false, Some(id)) = (asked, item.job_id) {
                let reason = format!("{} was stopped", run.public_id);
                pressroom_jobs::cancel(&tx, &fleet.job_kinds(), id, &reason).await?;
            }
        }
        tx.commit().await?;
        asked = true;
        tokio::select! {
            () = sleep(SETTLING) => {}
            () = ctx.cancelled().cancelled() => {
                return Err(Error::conflict("the worker ends before the run's items did"));
            }
        }
    }
}

/// Writes the end of a run whose items have all ended; the counts are the job's result.
async fn finish(fleet: &Fleet, ctx: &JobContext, run: &RunRow, state: RunState) -> Result<Value> {
    let tx = ctx.begin().await?;
    let counts: BTreeMap<&str, u64> = runs::counts(&tx, run.id, &Scope::All)
        .await?
        .into_iter()
        .map(|(state, count)| (state.as_str(), count))
        .collect();
    runs::end(&tx, run.id, state).await?;
    let told = json!({ "run": run.public_id, "state": state.as_str(), "items": counts });
    fleet.emit(&tx, ctx, event::RUN_ENDED, told.clone()).await?;
    tx.commit().await?;
    Ok(told)
}
