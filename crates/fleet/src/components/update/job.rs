//! The update job: items one by one, so that one bad item never spoils the others.

use super::{
    Outcome, UpdateComponents, UpdateReport,
    attempt::{made, step_name},
    item::Item,
};
use crate::{Fleet, Result, code, components::on_disk, reach::nothing_begun};
use async_trait::async_trait;
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_wordpress::{
    component::ComponentKind,
    inventory::Place,
    recovery::{Live, RecoveredSwap},
};
use serde_json::Value;

/// Updates components of one environment.
pub(crate) struct UpdateJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for UpdateJob {
    fn name(&self) -> &'static str {
        "component_update"
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let mut report = UpdateReport::default();
        let ended = Box::pin(run(&self.0, ctx, &mut report)).await;
        let value =
            serde_json::to_value(&report).map_err(|error| JobFailure::bug(error.to_string()))?;
        if let Err(error) = ended {
            // What was done before stays, and is told.
            return Err(JobFailure::from(error).with_result(value));
        }
        if report.is_success() {
            return Ok(value);
        }
        let mut failure = JobFailure::new(Kind::Remote, report.trouble()).with_result(value);
        if report
            .items
            .iter()
            .any(|item| item.outcome == Outcome::TakenBack)
        {
            failure = failure.with_code(code::TAKEN_BACK);
        }
        Err(failure)
    }

    /// A cancelled or exhausted update leaves each item whole: what was swapped but
    /// not yet verified is taken back.
    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(Box::pin(take_back_unverified(&self.0, ctx)).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext, report: &mut UpdateReport) -> Result<()> {
    let update: UpdateComponents = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let (session, recovery) = fleet.open_site_recovering(ctx, &row).await?;
    let kind = component_kind(&update.kind);
    let total = update.slugs.len().max(1);
    let installed = session.inspect(&row.path).await?.components;
    for (index, slug) in update.slugs.iter().enumerate() {
        ctx.check()?;
        let found = installed.iter().find(|found| {
            found.place == Place::Normal && found.kind == kind && found.slug == *slug
        });
        let item = Item {
            fleet,
            ctx,
            session: &session,
            row: &row,
            kind,
            slug,
            on_disk: found.map_or(slug.as_str(), on_disk),
        };
        let outcome = if let Some(outcome) = item.settled_before().await? {
            outcome
        } else {
            item.run(&recovery).await?
        };
        item.clear(&outcome).await?;
        report.items.push(outcome);
        let done = u8::try_from((index + 1) * 95 / total).unwrap_or(95);
        ctx.progress(done, &report_line(&update, index)).await?;
    }
    fleet.record_state(ctx, &session, &row).await
}

async fn take_back_unverified(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    if nothing_begun(ctx).await? {
        return Ok(());
    }
    let update: UpdateComponents = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let (session, recovery) = fleet.open_site_recovering(ctx, &row).await?;
    let mut failed = None;
    for slug in &update.slugs {
        // What is recorded was verified: it stays, and is only tidied up after.
        let settled = ctx.done_step(&step_name("update", slug)).await?.is_some();
        for made in made(ctx, slug).await? {
            let staged = &made.attempt.swap.staged;
            let found = recovery
                .swaps
                .iter()
                .find(|found| found.swap.staged == *staged);
            let Some(found) = found else { continue };
            let undone = undo_one(&session, ctx, found, settled).await;
            if let Err(error) = undone {
                // One that cannot be taken back must not keep the others.
                failed.get_or_insert(error);
            } else if !settled {
                ctx.line(format!("{} `{slug}` was taken back", update.kind));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn undo_one(
    session: &Session,
    ctx: &JobContext,
    found: &RecoveredSwap,
    settled: bool,
) -> Result<()> {
    if !settled {
        session.take_back(ctx.epoch(), found.swap.clone()).await?;
    }
    if settled || found.live != Live::Other {
        session.drop_staged(ctx.epoch(), &found.swap.staged).await?;
    }
    Ok(())
}

fn report_line(update: &UpdateComponents, index: usize) -> String {
    format!(
        "{} of {} {}s done",
        index + 1,
        update.slugs.len(),
        update.kind
    )
}

fn component_kind(name: &str) -> ComponentKind {
    if name == "theme" {
        ComponentKind::Theme
    } else {
        ComponentKind::Plugin
    }
}
