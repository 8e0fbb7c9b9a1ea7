//! The way back, decided by looking at what is there. Every act can be repeated.

use super::{config, ground, records, tables, underway::Move};
use crate::{Result, snapshots};
use pressroom_base::Kind;
use pressroom_store::{SnapshotState, StepState};
use serde_json::{Value, json};

const BACK: &str = "take back";

/// Takes back whatever was done and looks whether the site is as it was; answers what
/// was seen, or `None` when nothing had been changed.
pub(super) async fn take_back(work: &Move<'_>) -> Result<Option<Value>> {
    let (ctx, told) = (work.ctx, &work.told);
    give_up_snapshot(work).await?;
    let Some(web) = ground::stopped(work).await? else {
        // The step's intent and these are written one after the other.
        records::forget_intended(work).await?;
        return Ok(None);
    };
    if let Some(done) = ctx.done_step(BACK).await? {
        return Ok(done.result);
    }
    let hosting = &work.fleet.parts.hosting;
    hosting.remove_web(&told.to_name).await?;
    if told.renames() {
        ground::rename_home(work, &told.new_home, &told.old_home).await?;
    }
    records::forget_intended(work).await?;
    let session = work.open(&told.old_home).await?;
    config::take_back(work, &session).await?;
    tables::take_back(work, &session).await?;
    hosting.ensure_web(&web).await?;
    let socket = hosting.pool_socket(&told.from_name)?;
    work.flush(&session, socket).await;
    let look = work
        .fleet
        .look_until_alive(&told.from_name, &told.old_url)
        .await?;
    if let Some(trouble) = look.trouble() {
        ctx.line(format!("{} answers again, but {trouble}", told.old_url));
    }
    let report = json!({
        "taken_back": true, "url": told.old_url, "trouble": look.trouble(),
        "snapshot": told.snapshot,
    });
    let step = ctx.begin_step(BACK, Value::Null).await?;
    ctx.finish_step(step, StepState::Done, report.clone())
        .await?;
    tables::forget_copy(work).await?;
    ctx.line(format!("{} is as it was before the move", told.old_url));
    Ok(Some(report))
}

/// A snapshot that was not finished leaves nothing in the archive.
async fn give_up_snapshot(work: &Move<'_>) -> Result<()> {
    let found = work.fleet.snapshot_row(&work.told.snapshot).await;
    match found {
        Ok(row) if row.state == SnapshotState::Creating => {
            snapshots::give_up(work.fleet, work.ctx, &row, "the move was interrupted").await
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == Kind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
