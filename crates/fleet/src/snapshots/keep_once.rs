//! A snapshot as the first step of a job that goes on after an interruption.

use super::{NewSnapshot, take};
use crate::{Fleet, Result, reach::told};
use pressroom_base::token;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{EnvironmentRow, Lookup, Scope, SnapshotRow, SnapshotState, snapshots};
use serde_json::json;

const STEP: &str = "backup";

/// Takes a snapshot of a site as it is now, once for the job: what an earlier attempt has
/// made counts, what one left unfinished is removed. Answers its name.
pub(crate) async fn keep_once(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    new: &NewSnapshot,
) -> Result<String> {
    drop_unfinished(fleet, ctx).await?;
    if let Some(name) = kept(fleet, ctx).await? {
        return Ok(name);
    }
    let name = token::name(16);
    let taking = async {
        take::keep_present(fleet, ctx, session, row, &name, new).await?;
        Ok(name.clone())
    };
    let intent = json!({ "snapshot": name });
    Ok(ctx.step_intending(STEP, intent, told(taking)).await?)
}

/// The snapshot that [`keep_once`] has made for this job, if it has.
pub(crate) async fn kept(fleet: &Fleet, ctx: &JobContext) -> Result<Option<String>> {
    let found = begun(fleet, ctx).await?;
    Ok(found
        .into_iter()
        .find(|row| row.state == SnapshotState::Ready)
        .map(|row| row.public_id))
}

/// Removes what this job began and did not finish.
pub(crate) async fn drop_unfinished(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    for row in begun(fleet, ctx).await? {
        take::give_up(fleet, ctx, &row, "Its job was interrupted").await?;
    }
    Ok(())
}

async fn begun(fleet: &Fleet, ctx: &JobContext) -> Result<Vec<SnapshotRow>> {
    let mut found = Vec::new();
    for step in ctx.steps().await? {
        let Some(name) = step.intent["snapshot"]
            .as_str()
            .filter(|_| step.name == STEP)
        else {
            continue;
        };
        let row = snapshots::by_public_id(&fleet.parts.store, &Scope::All, name).await?;
        if let Lookup::Found(row) = row {
            found.push(row);
        }
    }
    Ok(found)
}
