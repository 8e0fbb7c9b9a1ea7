//! How an upgrade ends.

use super::{attempt::made, tables};
use crate::{
    Result,
    pipelines::{StageName, StageStatus, course::Course, tell, view::Back as Told},
    teller::Teller,
};
use pressroom_carrier::Session;
use pressroom_store::{CheckKind, PipelinePatch, PipelineState, TargetState, pipelines};
use serde_json::Value;

/// What was kept was verified: it went well.
pub(super) async fn complete(course: &Course<'_>, updated: usize) -> Result<()> {
    let patch = PipelinePatch {
        status: Some(PipelineState::Completed),
        final_check_id: look(course, CheckKind::PostUpgrade).await?,
        ..PipelinePatch::default()
    };
    let text = format!(
        "the site is as well as before, with {updated} {}",
        if updated == 1 { "update" } else { "updates" }
    );
    let change = course
        .change(patch, |stages, now| {
            stages.end(StageName::Verification, StageStatus::Passed, text, now);
        })
        .await?;
    tell::completed(&change.tx, &change.row, Teller::of_job(course.ctx)).await?;
    course.commit(change).await
}

/// Nothing was kept, and the site was seen to be as before.
pub(super) async fn rolled_back(course: &Course<'_>, why: &str) -> Result<()> {
    let row = course.row();
    let now = course.fleet.parts.store.now().await?;
    let back = Told {
        status: "passed".into(),
        reason: Some(why.to_owned()),
        finished_at: Some(now),
    };
    let patch = PipelinePatch {
        status: Some(PipelineState::RolledBack),
        final_check_id: look(course, CheckKind::PostRollback).await?,
        back: serde_json::to_value(back).ok(),
        error: Some(why.to_owned()),
        ..PipelinePatch::default()
    };
    let change = course
        .change(patch, |stages, now| {
            let text = "the site is as it was";
            stages.end(StageName::Rollback, StageStatus::Passed, text, now);
            stages.stop(StageStatus::Failed, why, now);
        })
        .await?;
    pipelines::skip_others(&change.tx, row.id, why).await?;
    tell::rolled_back(&change.tx, &change.row, Teller::of_job(course.ctx), why).await?;
    course.commit(change).await
}

/// The stage of the upgrade is over.
pub(super) async fn upgraded(course: &Course<'_>) -> Result<usize> {
    let targets = course.targets().await?;
    let of = |state| {
        let of_state = targets.iter().filter(|target| target.status == state);
        of_state.count()
    };
    let updated = of(TargetState::Updated);
    let (failed, back) = (of(TargetState::Failed), of(TargetState::RolledBack));
    let status = if updated > 0 {
        StageStatus::Passed
    } else {
        StageStatus::Failed
    };
    let text = format!("{updated} updated, {back} taken back, {failed} failed");
    course
        .leave(StageName::Upgrade, status, text, Value::Null)
        .await?;
    Ok(updated)
}

/// Removes what lies beside the site, once the end is recorded: until then a successor must be
/// able to judge, and to take back.
pub(super) async fn clear(course: &Course<'_>, session: &Session) -> Result<()> {
    for target in course.targets().await? {
        for attempt in made(course.ctx, &target).await? {
            attempt
                .exchange
                .drop_staged(session, course.ctx.epoch())
                .await?;
        }
    }
    for point in tables::own(course).await? {
        tables::drop_point(course, session, &point).await?;
    }
    if let Err(error) = course
        .fleet
        .record_state(course.ctx, session, &course.site)
        .await
    {
        // The end is recorded already: it does not depend on this.
        course
            .ctx
            .line(format!("the site was not looked into: {}", error.message()));
    }
    Ok(())
}

/// A look as the site's health keeps it.
async fn look(course: &Course<'_>, kind: CheckKind) -> Result<Option<String>> {
    course
        .fleet
        .look_for_pipeline(course.of.id, kind, &course.id())
        .await
}
