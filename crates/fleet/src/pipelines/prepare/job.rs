//! The job that makes everything out, and tries it.

use super::{checks, rehearse};
use crate::{
    Fleet, Result,
    pipelines::{
        StageName, StageStatus,
        course::{Course, PREPARE, Payload, end_untouched, row_of},
        plan, tell, updater,
        view::{Approved, label},
    },
    policies::is_excluded,
    reach::nothing_begun,
    snapshots::{self, Contents, NewSnapshot},
    teller::Teller,
};
use async_trait::async_trait;
use pressroom_carrier::Session;
use pressroom_jobs::{Class, Interruption, JobContext, JobFailure, JobKind, JobRow};
use pressroom_store::{
    CheckKind, PipelinePatch, PipelineState, Scope, SnapshotCause, SnapshotHolder, TargetRow,
    TargetState, Tx, pipelines,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long somebody may take to say yes.
const APPROVAL_LASTS: Duration = Duration::from_hours(7 * 24);
/// How long the snapshot from before is kept after the pipeline.
const SNAPSHOT_LASTS: Duration = Duration::from_hours(7 * 24);
/// Days until that may be removed where nobody holds it.
const SNAPSHOT_DAYS: u32 = 30;

/// The states in which this job is at a pipeline.
const OWN: &[PipelineState] = &[
    PipelineState::Pending,
    PipelineState::Preflight,
    PipelineState::Snapshotting,
    PipelineState::Rehearsing,
];

/// Takes a pipeline from its beginning to where somebody is to say yes.
pub(crate) struct PrepareJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for PrepareJob {
    fn name(&self) -> &'static str {
        PREPARE
    }

    /// The site is not touched: whatever stage was under way is done again.
    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    fn undo_unbegun(&self) -> bool {
        // The pipeline is recorded as being open.
        true
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }

    async fn undo(
        &self,
        ctx: &JobContext,
        why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(Box::pin(undo(&self.0, ctx, why)).await?)
    }

    async fn given_up(
        &self,
        tx: &Tx,
        job: &JobRow,
    ) -> std::result::Result<Option<String>, pressroom_store::Error> {
        if let Ok(payload) = Payload::deserialize(&job.payload) {
            let patch = PipelinePatch {
                status: Some(PipelineState::Failed),
                error: Some("its workers were lost before the site was touched".into()),
                ..PipelinePatch::default()
            };
            pipelines::change(tx, payload.pipeline, OWN, patch).await?;
            pipelines::skip_others(tx, payload.pipeline, "the pipeline was given up").await?;
        }
        Ok(None)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let course = Course::of(fleet, ctx).await?;
    if !OWN.contains(&course.status()) {
        // Only the job's own end was not written.
        return course.result().await;
    }
    let session = fleet.open_site(ctx, &course.site).await?;
    begin(&course).await?;
    ctx.progress(5, "making out what there is to do").await?;
    let prepared = Box::pin(updater::held_off(
        &course,
        &session,
        prepare(&course, &session),
    ))
    .await;
    session.close().await;
    let Some(rehearsed) = prepared? else {
        return course.result().await;
    };
    decide(&course, rehearsed.clean).await?;
    ctx.progress(100, "tried").await?;
    course.result().await
}

/// Everything up to the rehearsal; `None` where the pipeline is over by then.
async fn prepare(course: &Course<'_>, session: &Session) -> Result<Option<rehearse::Rehearsed>> {
    let ctx = course.ctx;
    let Some(count) = preflight(course, session).await? else {
        return Ok(None);
    };
    ctx.progress(20, "the plan is made").await?;
    if course.options.snapshot {
        snapshot(course, session).await?;
    }
    ctx.progress(45, "the site is in the archive").await?;
    course
        .enter(PipelineState::Rehearsing, StageName::Rehearsal)
        .await?;
    let rehearsed = rehearse::rehearse(course, session).await?;
    if rehearsed.left == 0 {
        let why = format!("none of {count} updates survived the rehearsal");
        course.fail(&why).await?;
        return Ok(None);
    }
    Ok(Some(rehearsed))
}

/// The first of all attempts tells that it began.
async fn begin(course: &Course<'_>) -> Result<()> {
    let first = course.row().started_at.is_none();
    let patch = PipelinePatch {
        status: Some(PipelineState::Preflight),
        job_id: Some(course.ctx.id()),
        ..PipelinePatch::default()
    };
    let change = course
        .change(patch, |stages, now| {
            stages.begin(StageName::Preflight, StageStatus::Running, now);
        })
        .await?;
    let rehearsal = StageName::Rehearsal.as_str();
    pipelines::drop_findings(&change.tx, change.row.id, rehearsal).await?;
    pipelines::drop_pictures(&change.tx, change.row.id, rehearsal).await?;
    if first {
        tell::started(&change.tx, &change.row, Teller::of_job(course.ctx)).await?;
    }
    course.commit(change).await
}

/// How many targets there are to update; `None` where the pipeline is over for having none.
async fn preflight(course: &Course<'_>, session: &Session) -> Result<Option<usize>> {
    checks::refuse_unfit(course, session).await?;
    let survey = session
        .survey(course.fleet.site_ref(&course.site), &[])
        .await?;
    let count = plan::freeze(course, &survey).await?;
    let targets = course.targets().await?;
    if count == 0 {
        let failed = targets
            .iter()
            .find(|target| target.status == TargetState::Failed);
        match failed.and_then(|target| target.error.clone()) {
            Some(why) => {
                let why = format!("nothing can be updated: {why}");
                course.fail(&why).await?;
            }
            None => nothing_to_do(course).await?,
        }
        return Ok(None);
    }
    baseline(course).await?;
    let excluded = excluded(course, &targets).await?;
    let detail = json!({ "targets": targets.len(), "to_update": count, "excluded": excluded });
    let mut message = format!("{count} {}", if count == 1 { "target" } else { "targets" });
    if !excluded.is_empty() {
        message.push_str(", though the policy excludes ");
        message.push_str(&excluded.join(", "));
    }
    course
        .leave(StageName::Preflight, StageStatus::Passed, message, detail)
        .await?;
    Ok(Some(count))
}

/// What of it the site's policy excludes: somebody asked for it all the same.
async fn excluded(course: &Course<'_>, targets: &[TargetRow]) -> Result<Vec<String>> {
    let applies = course.fleet.effective_policy(&course.of).await?;
    let open = targets
        .iter()
        .filter(|target| target.status == TargetState::Pending)
        .filter(|it| is_excluded(&applies.policy.exclusions, &it.kind, &it.slug));
    Ok(open.map(|it| label(&it.kind, &it.slug)).collect())
}

/// Everything is as new as it can be.
async fn nothing_to_do(course: &Course<'_>) -> Result<()> {
    let patch = PipelinePatch {
        status: Some(PipelineState::Completed),
        ..PipelinePatch::default()
    };
    let change = course
        .change(patch, |stages, now| {
            let text = "there is nothing left to update";
            stages.end(StageName::Preflight, StageStatus::Passed, text, now);
            stages.stop(StageStatus::Skipped, text, now);
        })
        .await?;
    tell::completed(&change.tx, &change.row, Teller::of_job(course.ctx)).await?;
    course.commit(change).await
}

/// The look that what comes later is held against, as the site's health keeps it.
async fn baseline(course: &Course<'_>) -> Result<()> {
    let check = course
        .fleet
        .look_for_pipeline(course.of.id, CheckKind::PreUpgrade, &course.id())
        .await?;
    let patch = PipelinePatch {
        baseline_check_id: check,
        ..PipelinePatch::default()
    };
    let change = course.change(patch, |_, _| {}).await?;
    course.commit(change).await
}

async fn snapshot(course: &Course<'_>, session: &Session) -> Result<()> {
    let (fleet, ctx) = (course.fleet, course.ctx);
    course
        .enter(PipelineState::Snapshotting, StageName::Snapshot)
        .await?;
    let new = NewSnapshot {
        contents: Contents::Full,
        note: format!("before upgrade {}", course.id()),
        keep_days: Some(SNAPSHOT_DAYS),
        cause: SnapshotCause::Upgrade,
        ..NewSnapshot::default()
    };
    let name = snapshots::keep_once(fleet, ctx, session, &course.site, &new).await?;
    let row = pressroom_store::snapshots::by_public_id(&fleet.parts.store, &Scope::All, &name)
        .await?
        .found();
    let patch = PipelinePatch {
        snapshot_id: row.as_ref().map(|row| row.short_id.to_string()),
        ..PipelinePatch::default()
    };
    let text = match &row {
        Some(row) => format!("{} bytes in the archive", row.size),
        None => "in the archive".to_owned(),
    };
    let change = course
        .change(patch, |stages, now| {
            stages.end(StageName::Snapshot, StageStatus::Passed, text, now);
        })
        .await?;
    if let Some(row) = row {
        // Nobody removes it while it may be needed.
        let until = change.tx.now().await?.plus(APPROVAL_LASTS + SNAPSHOT_LASTS);
        let holder = SnapshotHolder::Upgrade;
        let job = Some(ctx.id());
        pressroom_store::snapshots::hold(&change.tx, row.id, holder, job, Some(until)).await?;
    }
    course.commit(change).await
}

/// Whether somebody is asked. What was not tried, or was found to be worth a look, is never
/// approved by itself.
async fn decide(course: &Course<'_>, clean: bool) -> Result<()> {
    let by_itself = clean && !course.row().requires_approval;
    let tx_now = course.fleet.parts.store.now().await?;
    let patch = if by_itself {
        let approved = Approved {
            by: None,
            user_id: None,
            at: tx_now,
            note: None,
        };
        PipelinePatch {
            status: Some(PipelineState::Approved),
            approval: serde_json::to_value(approved).ok(),
            ..PipelinePatch::default()
        }
    } else {
        PipelinePatch {
            status: Some(PipelineState::AwaitingApproval),
            approval_until: Some(tx_now.plus(APPROVAL_LASTS)),
            ..PipelinePatch::default()
        }
    };
    let change = course
        .change(patch, |stages, now| {
            if by_itself {
                let text = "the rehearsal was clean, and nobody had to be asked";
                stages.end(StageName::Approval, StageStatus::NotNeeded, text, now);
            } else {
                stages.begin(StageName::Approval, StageStatus::Waiting, now);
            }
        })
        .await?;
    if !by_itself {
        tell::awaited(&change.tx, &change.row, Teller::of_job(course.ctx)).await?;
    }
    course.commit(change).await
}

/// Nothing of it stays at the site, and the pipeline is over.
async fn undo(fleet: &Fleet, ctx: &JobContext, why: &JobFailure) -> Result<()> {
    snapshots::drop_unfinished(fleet, ctx).await?;
    if !nothing_begun(ctx).await? {
        rehearse::clear(fleet, ctx).await?;
    }
    let row = row_of(fleet, ctx).await?;
    if !OWN.contains(&row.status) {
        return Ok(());
    }
    if why.class == Class::User {
        let tx = ctx.begin().await?;
        end_untouched(&tx, row.id, OWN, &why.message, Teller::of_job(ctx)).await?;
        tx.commit().await?;
        return Ok(());
    }
    Course::of(fleet, ctx).await?.fail(&why.message).await
}
