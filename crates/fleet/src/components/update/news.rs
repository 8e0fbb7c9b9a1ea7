//! Events of an update's items.

use super::{ItemOutcome, Outcome};
use crate::{Error, Fleet, Result};
use pressroom_base::catalog::event;
use pressroom_jobs::JobContext;
use serde_json::json;

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
