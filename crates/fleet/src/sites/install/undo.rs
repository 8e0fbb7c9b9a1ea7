//! Taking an unfinished installation away again.

use super::payload::NewPlace;
use crate::{Fleet, Result, sites::take_away::TakeAway};
use pressroom_base::catalog::event;
use pressroom_jobs::JobContext;
use pressroom_store::{environments, resources};
use serde_json::json;

/// Removes everything the job's records claim, then the environment itself.
pub(in crate::sites) async fn undo(
    fleet: &Fleet,
    ctx: &JobContext,
    place: &NewPlace,
) -> Result<()> {
    let shared = TakeAway {
        fleet,
        ctx,
        domain_id: place.domain_id,
        path: &place.path,
        records: resources::list_by_job(&fleet.parts.store, ctx.id()).await?,
        files: true,
        database: true,
    }
    .run()
    .await?;

    let Some(environment) = ctx.environment() else {
        return Ok(());
    };
    if environments::get(&fleet.parts.store, environment)
        .await?
        .is_none()
    {
        // A repetition: an interrupted run had come to its end already.
        return Ok(());
    }
    let tx = ctx.begin().await?;
    fleet
        .emit(
            &tx,
            ctx,
            event::SITE_INSTALL_FAILED,
            json!({ "url": place.url, "panel_id": place.panel_id }),
        )
        .await?;
    environments::remove(&tx, environment).await?;
    tx.commit().await?;
    if shared {
        // The domain's other sites stay as they are, without a place for this one.
        fleet.serve_again(place.domain_id).await?;
    }
    ctx.line("everything this installation made was removed");
    Ok(())
}
