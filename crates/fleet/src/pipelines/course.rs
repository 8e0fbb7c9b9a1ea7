//! A pipeline under way: its row, changed only by the job that is at it.

use super::{
    options::Options,
    stage::{StageName, StageStatus, Stages},
    tell,
    view::read_options,
};
use crate::{Error, Fleet, Result, teller::Teller};
use pressroom_base::{
    Kind, Timestamp,
    catalog::event,
    id::{PipelineId, ShortId},
};
use pressroom_jobs::JobContext;
use pressroom_store::{
    EnvironmentRow, PipelinePatch, PipelineRow, PipelineState, SiteRow, TargetPatch, TargetRow,
    TargetState, Tx, environments, pipelines,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// The job until somebody is to say yes.
pub(super) const PREPARE: &str = "pipeline_prepare";
/// The job from then on.
pub(super) const APPLY: &str = "pipeline_apply";

/// What both are told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Payload {
    /// Which pipeline.
    pub(super) pipeline: PipelineId,
}

/// Every state in which something is still to come.
const OPEN: &[PipelineState] = &[
    PipelineState::Pending,
    PipelineState::Preflight,
    PipelineState::Snapshotting,
    PipelineState::Rehearsing,
    PipelineState::AwaitingApproval,
    PipelineState::Approved,
    PipelineState::Upgrading,
    PipelineState::Verifying,
    PipelineState::RollingBack,
];

/// A pipeline and the job that is at it.
pub(super) struct Course<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ctx: &'a JobContext,
    /// Where it is done.
    pub(super) site: EnvironmentRow,
    /// What that is a part of.
    pub(super) of: SiteRow,
    pub(super) options: Options,
    row: Mutex<PipelineRow>,
}

/// A change of a pipeline that holds once it is committed.
#[must_use = "a change must be committed"]
pub(super) struct Change {
    pub(super) tx: Tx,
    pub(super) row: PipelineRow,
}

impl<'a> Course<'a> {
    /// That of this job.
    pub(super) async fn of(fleet: &'a Fleet, ctx: &'a JobContext) -> Result<Self> {
        let row = row_of(fleet, ctx).await?;
        let site = fleet.row_of_job(ctx).await?;
        let of = environments::get_site(&fleet.parts.store, site.site_id).await?;
        Ok(Self {
            fleet,
            ctx,
            of: of.ok_or_else(|| Error::not_found("site"))?,
            options: read_options(&row),
            site,
            row: Mutex::new(row),
        })
    }

    /// The row as it is.
    pub(super) fn row(&self) -> PipelineRow {
        self.row
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn id(&self) -> ShortId {
        self.row().short_id
    }

    pub(super) fn status(&self) -> PipelineState {
        self.row().status
    }

    /// Its targets, in the order of work.
    pub(super) async fn targets(&self) -> Result<Vec<TargetRow>> {
        Ok(pipelines::targets(&self.fleet.parts.store, self.row().id).await?)
    }

    /// Begins a change of the row and of its stages. Fails where somebody else has ended it.
    pub(super) async fn change(
        &self,
        patch: PipelinePatch,
        edit: impl FnOnce(&mut Stages, Timestamp),
    ) -> Result<Change> {
        let row = self.row();
        let tx = self.ctx.begin().await?;
        let mut stages = Stages::read(&row.stages);
        edit(&mut stages, tx.now().await?);
        let patch = PipelinePatch {
            stages: Some(stages.written()),
            ..patch
        };
        let row = pipelines::change(&tx, row.id, OPEN, patch).await?;
        let row = row.ok_or_else(|| Error::conflict("the pipeline is over"))?;
        Ok(Change { tx, row })
    }

    /// Has a change hold.
    pub(super) async fn commit(&self, change: Change) -> Result<()> {
        change.tx.commit().await?;
        *self.row.lock().unwrap_or_else(PoisonError::into_inner) = change.row;
        Ok(())
    }

    /// Goes on to a state, in which this stage is under way.
    pub(super) async fn enter(&self, to: PipelineState, stage: StageName) -> Result<()> {
        let patch = PipelinePatch {
            status: Some(to),
            ..PipelinePatch::default()
        };
        let change = self
            .change(patch, |stages, now| {
                stages.begin(stage, StageStatus::Running, now);
            })
            .await?;
        self.commit(change).await
    }

    /// A stage is over.
    pub(super) async fn leave(
        &self,
        stage: StageName,
        status: StageStatus,
        message: impl Into<String> + Send,
        detail: Value,
    ) -> Result<()> {
        let message = message.into();
        self.ctx.line(format!("{}: {message}", stage.as_str()));
        let change = self
            .change(PipelinePatch::default(), |stages, now| {
                stages.end(stage, status, message, now);
                if !detail.is_null() {
                    stages.tell(stage, detail);
                }
            })
            .await?;
        self.commit(change).await
    }

    /// Changes a target.
    pub(super) async fn set(&self, target: &TargetRow, patch: TargetPatch) -> Result<TargetRow> {
        let tx = self.ctx.begin().await?;
        let row = pipelines::set_target(&tx, target.id, patch).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// It is over, before the site was touched or with the site as it was: with this state and
    /// why.
    pub(super) async fn fail(&self, why: &str) -> Result<()> {
        let patch = PipelinePatch {
            status: Some(PipelineState::Failed),
            error: Some(why.to_owned()),
            ..PipelinePatch::default()
        };
        let before = self.row();
        let change = self
            .change(patch, |stages, now| {
                stages.stop(StageStatus::Failed, why, now);
            })
            .await?;
        pipelines::skip_others(&change.tx, before.id, "the pipeline failed before").await?;
        // The stage in which it failed is in the row from before.
        tell::failed(&change.tx, &before, Teller::of_job(self.ctx), why, false).await?;
        self.commit(change).await
    }

    /// What the job ends with.
    pub(super) async fn result(&self) -> Result<Value> {
        let row = self.row();
        let targets = self.targets().await?;
        let of = |state| {
            let of_state = targets.iter().filter(|target| target.status == state);
            of_state.count()
        };
        Ok(json!({
            "pipeline": row.short_id.as_str(),
            "status": row.status,
            "updated": of(TargetState::Updated),
            "rolled_back": of(TargetState::RolledBack),
            "failed": of(TargetState::Failed),
            "skipped": of(TargetState::Skipped),
            "error": row.error,
        }))
    }
}

/// The pipeline of a job.
pub(super) async fn row_of(fleet: &Fleet, ctx: &JobContext) -> Result<PipelineRow> {
    let payload: Payload = ctx.payload()?;
    pipelines::get(&fleet.parts.store, payload.pipeline)
        .await?
        .ok_or_else(|| Error::new(Kind::NotFound, "the pipeline is no longer recorded"))
}

/// Ends a pipeline of which nothing is at the site, if it is in one of these states.
pub(super) async fn end_untouched(
    tx: &Tx,
    id: PipelineId,
    from: &[PipelineState],
    why: &str,
    teller: Teller,
) -> Result<bool> {
    let Some(row) = pipelines::get(tx, id).await? else {
        return Ok(false);
    };
    let mut stages = Stages::read(&row.stages);
    stages.stop(StageStatus::Skipped, why, tx.now().await?);
    let patch = PipelinePatch {
        status: Some(PipelineState::Cancelled),
        stages: Some(stages.written()),
        error: Some(why.to_owned()),
        ..PipelinePatch::default()
    };
    let Some(row) = pipelines::change(tx, id, from, patch).await? else {
        return Ok(false);
    };
    pipelines::skip_others(tx, id, why).await?;
    let told = json!({ "reason": why });
    tell::happened(tx, event::UPGRADE_PIPELINE_CANCELLED, &row, teller, told).await?;
    Ok(true)
}
