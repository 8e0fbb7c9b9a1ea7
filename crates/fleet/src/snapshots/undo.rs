//! Back to what the site was before a restore began, decided by looking at what is
//! there. Only what this job did is taken back: others in the same home may keep
//! theirs aside on purpose.

use super::{
    asides,
    steps::{FILES_STEP, TABLES_STEP, UNPACK_STEP, VERDICT_STEP},
};
use crate::{Fleet, Result, reach::nothing_begun};
use pressroom_base::Epoch;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{EnvironmentRow, StepState};
use pressroom_wordpress::{database::restore::Aside, recovery::Recovery};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the site stays in maintenance if whoever takes it back dies.
const LEASE: Duration = Duration::from_mins(10);

/// Written down before the tables are loaded: enough for a successor to find what they
/// displaced.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TablesIntent {
    pub(super) epoch: Epoch,
}

/// Puts files and tables back, unless the restored site was judged good already: then
/// it stays. Each act is idempotent: it can be repeated.
pub(super) async fn undo(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    if nothing_begun(ctx).await? {
        return Ok(());
    }
    let row = fleet.row_of_job(ctx).await?;
    let ground = fleet.ground(&row).await?;
    let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
    let epoch = ctx.epoch();
    let recovery = session.recover(epoch).await?;
    if ctx.done_step(VERDICT_STEP).await?.is_some() {
        drop_asides(fleet, ctx, &session, &row).await?;
        fleet.leave_maintenance(ctx, &session, &row).await?;
        ctx.line("the restored site was found well, and stays");
        return Ok(());
    }
    if began(ctx).await? {
        // Nobody should write to tables that are about to go.
        session.enter_maintenance(epoch, &row.path, LEASE).await?;
    }
    // What one cannot be put back for is no reason to leave the other.
    let files = files_back(ctx, &session, &row, &recovery).await;
    let tables = tables_back(fleet, ctx, &session, &row).await;
    files.and(tables)?;
    fleet.leave_maintenance(ctx, &session, &row).await?;
    fleet
        .flush_caches(ctx, &session, &row, vec![row.path.clone()])
        .await;
    ctx.line("files and tables are as they were before the restore");
    Ok(())
}

async fn files_back(
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    found: &Recovery,
) -> Result<()> {
    let epoch = ctx.epoch();
    let Some(staged) = staged(ctx).await? else {
        return Ok(());
    };
    let ours = found
        .exchanges
        .iter()
        .any(|found| found.exchange.staged == staged && found.exchange.root == row.path);
    if ours {
        session.take_back_tree(epoch, &staged).await?;
    }
    session.drop_unpacked(epoch, &staged).await?;
    Ok(())
}

async fn tables_back(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
) -> Result<()> {
    let site = fleet.site_ref(row);
    for aside in kept(fleet, ctx, session, row).await? {
        session
            .take_back_database(ctx.epoch(), site.clone(), aside)
            .await?;
    }
    Ok(())
}

/// Lets go of the files and tables from before a restore that was verified. Files that
/// hold something which could not be carried over stay for a person to look at.
pub(super) async fn drop_asides(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
) -> Result<()> {
    let staged = staged(ctx).await?;
    let epochs = epochs(ctx).await?;
    let known = asides::record(ctx, row, staged.clone(), epochs.clone()).await?;
    let kept = left_behind(ctx).await?;
    let (now, later) = if kept { (None, staged) } else { (staged, None) };
    asides::drop_all(fleet, ctx, session, row, now.as_deref(), &epochs).await?;
    if let Some(staged) = later {
        ctx.line(format!(
            "the directory from before is kept in `.pressroom/staging/{staged}` for {} days",
            fleet.parts.settings.keep_aside.as_secs() / 86_400
        ));
        return Ok(());
    }
    asides::forget(ctx, known).await
}

/// What this job unpacked.
async fn staged(ctx: &JobContext) -> Result<Option<String>> {
    let step = ctx.done_step(UNPACK_STEP).await?;
    Ok(step
        .and_then(|step| step.result)
        .and_then(|result| result["staged"].as_str().map(str::to_owned)))
}

/// Whether the old directory holds what the new one should.
async fn left_behind(ctx: &JobContext) -> Result<bool> {
    let step = ctx.done_step(FILES_STEP).await?;
    Ok(step.and_then(|step| step.result).is_some_and(|result| {
        result["not_carried"]
            .as_array()
            .is_some_and(|paths| !paths.is_empty())
    }))
}

/// Whether anything of the site may have been touched.
async fn began(ctx: &JobContext) -> Result<bool> {
    let steps = ctx.steps().await?;
    Ok(steps
        .iter()
        .filter(|step| matches!(step.name.as_str(), TABLES_STEP | FILES_STEP))
        .any(|step| step.state != StepState::Undone))
}

/// Tables that this job displaced and that are still there, newest first.
async fn kept(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
) -> Result<Vec<Aside>> {
    let epochs = epochs(ctx).await?;
    if epochs.is_empty() {
        return Ok(Vec::new());
    }
    let recovered = session
        .recover_database(ctx.epoch(), fleet.site_ref(row))
        .await?;
    let mut kept: Vec<Aside> = recovered
        .kept
        .into_iter()
        .filter(|aside| epochs.contains(&aside.epoch))
        .collect();
    kept.sort_by_key(|aside| std::cmp::Reverse(aside.epoch));
    Ok(kept)
}

/// Under which epochs this job has begun to displace tables.
async fn epochs(ctx: &JobContext) -> Result<Vec<Epoch>> {
    let begun: Vec<TablesIntent> = ctx.intents(TABLES_STEP).await?;
    Ok(begun.iter().map(|intent| intent.epoch).collect())
}
