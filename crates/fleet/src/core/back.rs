//! Back to the version from before, decided by looking at what is there. No PHP runs:
//! a site whose every request is fatal, on a machine where `php` does not run at all,
//! comes back the same way.

use super::attempt::{Attempt, Back, Kept, OPEN, TABLES, TABLES_BACK, VERDICT, began, made};
use crate::{
    Error, Fleet, Result,
    reach::{nothing_begun, told},
    snapshots::{self, asides},
};
use pressroom_base::{Epoch, Kind, catalog::event};
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::EnvironmentRow;
use serde_json::json;
use std::time::Duration;

/// How long the site stays in maintenance if whoever takes it back dies.
const LEASE: Duration = Duration::from_mins(10);

/// Puts files and tables back, unless the new version was found well already: then it
/// stays. Each act is idempotent: it can be repeated.
pub(super) async fn undo(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    snapshots::drop_unfinished(fleet, ctx).await?;
    if nothing_begun(ctx).await? {
        return Ok(());
    }
    let row = fleet.row_of_job(ctx).await?;
    let (session, recovery) = fleet.open_site_recovering(ctx, &row).await?;
    if ctx.done_step(VERDICT).await?.is_some() {
        let_go(ctx, &session).await?;
        fleet.leave_maintenance(ctx, &session, &row).await?;
        ctx.line("the new version was found well, and stays");
        return Ok(());
    }
    let Some(attempt) = made(ctx).await? else {
        return fleet.leave_maintenance(ctx, &session, &row).await;
    };
    // Nobody should see half of it, or write to tables that are about to go.
    session
        .enter_maintenance(ctx.epoch(), &row.path, LEASE)
        .await?;
    let begun = recovery
        .core_swaps
        .iter()
        .any(|found| found.swap.staged == attempt.swap.staged);
    if begun {
        let live = session
            .take_back_core(ctx.epoch(), attempt.swap.clone())
            .await?;
        if live.tree.hash != attempt.swap.before {
            return Err(Error::new(
                Kind::Remote,
                format!(
                    "the files of WordPress {} could not be restored exactly; they are kept aside as `{}`",
                    attempt.old_version, attempt.swap.staged
                ),
            ));
        }
    }
    if let Some(kept) = &attempt.tables
        && began(ctx, TABLES).await?
    {
        tables_back(fleet, ctx, &session, &row, kept).await?;
    }
    session
        .drop_staged_core(ctx.epoch(), &attempt.swap.staged)
        .await?;
    fleet
        .flush_caches(ctx, &session, &row, vec![row.path.clone()])
        .await;
    fleet.leave_maintenance(ctx, &session, &row).await?;
    said(fleet, ctx, &row, &attempt).await
}

/// Removes the files from before a version that stays.
pub(super) async fn let_go(ctx: &JobContext, session: &Session) -> Result<()> {
    if let Some(attempt) = made(ctx).await? {
        session
            .drop_staged_core(ctx.epoch(), &attempt.swap.staged)
            .await?;
    }
    Ok(())
}

async fn said(
    fleet: &Fleet,
    ctx: &JobContext,
    row: &EnvironmentRow,
    attempt: &Attempt,
) -> Result<()> {
    let look = fleet.look_at(row).await;
    ctx.line(format!(
        "WordPress {} is live again, file by file{}",
        attempt.old_version,
        look.trouble()
            .map(|still| format!("; the site does not answer: {still}"))
            .unwrap_or_default()
    ));
    let tx = ctx.begin().await?;
    let told = json!({ "from": attempt.new_version, "to": attempt.old_version });
    fleet
        .emit(&tx, ctx, event::CORE_UPDATE_TAKEN_BACK, told)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// The tables as they were kept, compared by their contents.
async fn tables_back(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    kept: &Kept,
) -> Result<()> {
    let site = fleet.site_ref(row);
    session.recover_database(ctx.epoch(), site.clone()).await?;
    let now = session.database_checksums(site.clone(), Vec::new()).await?;
    if now != kept.checksums {
        let intent = serde_json::to_value(Back { epoch: ctx.epoch() }).map_err(Error::internal)?;
        ctx.step_intending(
            TABLES_BACK,
            intent,
            told(snapshots::restore_tables(
                fleet,
                ctx,
                session,
                row,
                &kept.snapshot,
            )),
        )
        .await?;
        let now = session.database_checksums(site.clone(), Vec::new()).await?;
        if now != kept.checksums {
            return Err(Error::new(
                Kind::Remote,
                format!(
                    "the tables are not as they were before the update; snapshot `{}` has them",
                    kept.snapshot
                ),
            ));
        }
        ctx.line("the tables are as they were before, compared by their contents");
    }
    // What was displaced is the new version's.
    let epochs = epochs(ctx).await?;
    if may_have_been_written_to(ctx).await? {
        return keep_written(fleet, ctx, session, row, epochs).await;
    }
    asides::drop_all(fleet, ctx, session, row, None, &epochs).await
}

/// Whether visitors may have written to the new version's tables: it was open to them, or
/// its lease of maintenance may have ended while nobody worked.
async fn may_have_been_written_to(ctx: &JobContext) -> Result<bool> {
    Ok(ctx.attempt() > 1 || began(ctx, OPEN).await?)
}

/// Keeps the displaced tables for a person to look at: an order or a comment of those
/// minutes is in them alone.
async fn keep_written(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    epochs: Vec<Epoch>,
) -> Result<()> {
    let site = fleet.site_ref(row);
    let recovered = session.recover_database(ctx.epoch(), site).await?;
    let kept = recovered
        .kept
        .iter()
        .filter(|aside| epochs.contains(&aside.epoch));
    let names: Vec<&str> = kept.map(|aside| aside.stem.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    asides::record(ctx, row, None, epochs).await?;
    ctx.line(format!(
        "what was written while the new version was open is kept for {} days in the tables `{}…`",
        fleet.parts.settings.keep_aside.as_secs() / 86_400,
        names.join("…`, `")
    ));
    Ok(())
}

/// Under which epochs this job has put tables back.
async fn epochs(ctx: &JobContext) -> Result<Vec<Epoch>> {
    let begun: Vec<Back> = ctx.intents(TABLES_BACK).await?;
    Ok(begun.iter().map(|back| back.epoch).collect())
}
