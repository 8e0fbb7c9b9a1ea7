//! Taking an unfinished copy away again.

use super::{copy::COPY, payload::Payload};
use crate::{Error, Fleet, Result, reach::Ground, sites::install};
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{domains, resources};

/// Removes what lies in and beside the place, then everything the job's records claim.
pub(super) async fn undo(fleet: &Fleet, ctx: &JobContext, told: &Payload) -> Result<()> {
    take_files_away(fleet, ctx, told).await?;
    install::undo(fleet, ctx, &told.place).await
}

/// Lets go of what lies beside a copy that is complete: the dump of its tables above
/// all. What cannot be removed is told and is no reason to fail.
pub(super) async fn drop_rest(fleet: &Fleet, ctx: &JobContext, told: &Payload) {
    let dropping = async {
        let Some((session, staged)) = beside(fleet, ctx, told).await? else {
            return Ok(());
        };
        session.recover(ctx.epoch()).await?;
        session.drop_unpacked(ctx.epoch(), &staged).await?;
        session.close().await;
        Ok::<(), Error>(())
    };
    if let Err(error) = dropping.await {
        ctx.line(format!(
            "what was unpacked beside the copy could not be removed: {}",
            error.message()
        ));
    }
}

/// What was unpacked, and a session where it lies; `None` where nothing was.
async fn beside(
    fleet: &Fleet,
    ctx: &JobContext,
    told: &Payload,
) -> Result<Option<(Session, String)>> {
    let copied = ctx.done_step(COPY).await?.and_then(|step| step.result);
    let staged = copied.and_then(|copied| copied["staged"].as_str().map(str::to_owned));
    let Some(staged) = staged else {
        return Ok(None);
    };
    let store = &fleet.parts.store;
    let Some(domain) = domains::get(store, told.place.domain_id).await? else {
        return Ok(None);
    };
    let ground = Ground::of(&domain);
    let home = ground.home.display().to_string();
    if resources::by_name(store, "home", &home).await?.is_none() || !ground.home.exists() {
        // An earlier run of the same has come further.
        return Ok(None);
    }
    let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
    Ok(Some((session, staged)))
}

async fn take_files_away(fleet: &Fleet, ctx: &JobContext, told: &Payload) -> Result<()> {
    let Some((session, staged)) = beside(fleet, ctx, told).await? else {
        return Ok(());
    };
    let recovery = session.recover(ctx.epoch()).await?;
    let ours = recovery
        .exchanges
        .iter()
        .any(|found| found.exchange.staged == staged && found.exchange.root == told.place.path);
    if ours {
        session.take_back_tree(ctx.epoch(), &staged).await?;
    }
    session.drop_unpacked(ctx.epoch(), &staged).await?;
    // Its user may go next.
    session.close().await;
    Ok(())
}
