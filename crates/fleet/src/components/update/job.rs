//! The update job: items one by one, so that one bad item never spoils the others.

use super::{
    ItemOutcome, Outcome, UpdateComponents, UpdateReport,
    item::{Item, step_name},
};
use crate::{Error, Fleet, Result, code};
use async_trait::async_trait;
use pressroom_base::{Kind, catalog::event};
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, RetryPolicy};
use pressroom_store::Lane;
use pressroom_wordpress::component::ComponentKind;
use serde_json::{Value, json};

/// Updates components of one environment.
pub(crate) struct UpdateJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for UpdateJob {
    fn name(&self) -> &'static str {
        "component_update"
    }

    fn lane(&self) -> Lane {
        Lane::Write
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy::never()
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let report = Box::pin(run(&self.0, ctx)).await?;
        let value =
            serde_json::to_value(&report).map_err(|error| JobFailure::bug(error.to_string()))?;
        if report.is_success() {
            return Ok(value);
        }
        let taken_back = report
            .items
            .iter()
            .any(|item| item.outcome == Outcome::TakenBack);
        let mut failure = JobFailure::new(Kind::Remote, report.trouble()).with_result(value);
        if taken_back {
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

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<UpdateReport> {
    let update: UpdateComponents = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let ground = fleet.ground(&row).await?;
    let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
    let recovery = session.recover(ctx.epoch()).await?;
    let kind = component_kind(&update.kind);
    let mut report = UpdateReport::default();
    let total = update.slugs.len().max(1);
    for (index, slug) in update.slugs.iter().enumerate() {
        ctx.check()?;
        let item = Item {
            fleet,
            ctx,
            session: &session,
            row: &row,
            kind,
            slug,
        };
        let outcome = if let Some(outcome) = item.settled_before().await? {
            outcome
        } else {
            item.run(&recovery).await?
        };
        item.clear().await?;
        report.items.push(outcome);
        let done = u8::try_from((index + 1) * 95 / total).unwrap_or(95);
        ctx.progress(done, &report_line(&update, index)).await?;
    }
    fleet.record_state(ctx, &session, &row).await?;
    Ok(report)
}

async fn take_back_unverified(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    let update: UpdateComponents = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let ground = fleet.ground(&row).await?;
    let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
    let recovery = session.recover(ctx.epoch()).await?;
    for found in recovery.swaps {
        let swap = found.swap;
        let slug = &swap.target.slug;
        // What is recorded as done was verified: it stays.
        if ctx.done_step(&step_name("update", slug)).await?.is_none() {
            session.take_back(ctx.epoch(), swap.clone()).await?;
            ctx.line(format!("{} `{slug}` was taken back", update.kind));
        }
        session.drop_staged(ctx.epoch(), &swap.staged).await?;
    }
    Ok(())
}

/// Tells of an outcome. Before it is recorded as settled: told twice is better than
/// never.
pub(super) async fn record(fleet: &Fleet, ctx: &JobContext, item: &ItemOutcome) -> Result<()> {
    let name = match item.outcome {
        Outcome::Updated => event::COMPONENT_UPDATED,
        Outcome::TakenBack => event::COMPONENT_UPDATE_TAKEN_BACK,
        Outcome::Failed => event::COMPONENT_UPDATE_FAILED,
        Outcome::Unchanged => return Ok(()),
    };
    let tx = ctx.begin().await?;
    fleet.emit(&tx, ctx, name, json!(item)).await?;
    tx.commit().await.map_err(Error::internal)
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
