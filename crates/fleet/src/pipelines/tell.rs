//! Telling of a pipeline.

use super::stage::Stages;
use crate::{Result, teller::Teller};
use pressroom_base::catalog::event;
use pressroom_store::{PipelineRow, TargetRow, TargetState, Tx, environments, events, pipelines};
use serde_json::{Value, json};

/// Writes that something happened to a pipeline.
pub(super) async fn happened(
    tx: &Tx,
    kind: &'static str,
    row: &PipelineRow,
    teller: Teller,
    mut told: Value,
) -> Result<()> {
    told["pipeline_id"] = json!(row.short_id.as_str());
    let environment = environments::site_of(tx, row.environment_id).await?;
    let subject = ("upgrade_pipeline", row.short_id.clone());
    let environment = environment.map(|_| row.environment_id);
    let event = teller.event(kind, row.account_id, environment, subject, told);
    events::emit(tx, event).await?;
    Ok(())
}

/// It began.
pub(super) async fn started(tx: &Tx, row: &PipelineRow, teller: Teller) -> Result<()> {
    let told = json!({ "targets": targets(tx, row).await? });
    happened(tx, event::UPGRADE_STARTED, row, teller, told).await
}

/// Somebody is to say yes.
pub(super) async fn awaited(tx: &Tx, row: &PipelineRow, teller: Teller) -> Result<()> {
    let told = json!({ "targets": targets(tx, row).await? });
    happened(tx, event::UPGRADE_AWAITING_APPROVAL, row, teller, told).await
}

/// It, or one of its targets, failed in the stage that is under way.
pub(super) async fn failed(
    tx: &Tx,
    row: &PipelineRow,
    teller: Teller,
    error: &str,
    will_roll_back: bool,
) -> Result<()> {
    let stage = Stages::read(&row.stages).current();
    let told = json!({
        "stage": stage.map(super::StageName::as_str),
        "error": error,
        "will_roll_back": will_roll_back,
        "text": format!("An upgrade failed: {error}"),
    });
    happened(tx, event::UPGRADE_FAILED, row, teller, told).await
}

/// It went well.
pub(super) async fn completed(tx: &Tx, row: &PipelineRow, teller: Teller) -> Result<()> {
    let now = tx.now().await?;
    let rows = pipelines::targets(tx, row.id).await?;
    let updated = rows
        .iter()
        .filter(|target| target.status == TargetState::Updated)
        .count();
    let since = row.started_at.unwrap_or(now);
    let told = json!({
        "targets": rows.iter().map(said).collect::<Vec<_>>(),
        "updated": updated,
        "duration_seconds": (now.millis() - since.millis()).max(0) / 1000,
    });
    happened(tx, event::UPGRADE_COMPLETED, row, teller, told).await
}

/// All of it was taken back.
pub(super) async fn rolled_back(
    tx: &Tx,
    row: &PipelineRow,
    teller: Teller,
    reason: &str,
) -> Result<()> {
    let told = json!({ "snapshot_id": row.snapshot_id, "reason": reason });
    happened(tx, event::UPGRADE_ROLLED_BACK, row, teller, told).await
}

async fn targets(tx: &Tx, row: &PipelineRow) -> Result<Vec<Value>> {
    let rows = pipelines::targets(tx, row.id).await?;
    Ok(rows.iter().map(said).collect())
}

fn said(target: &TargetRow) -> Value {
    json!({
        "type": target.kind,
        "slug": target.slug,
        "from_version": target.from_version,
        "to_version": target.to_version.as_ref().or(target.wanted.as_ref()),
        "status": target.status,
    })
}
