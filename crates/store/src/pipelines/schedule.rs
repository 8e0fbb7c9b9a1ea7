//! Whose turn it is.

use super::{PipelineRow, PipelineState, pipeline};
use crate::{Read, Result, Tx, sql};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryResult};
use std::time::Duration;

/// Those that may begin, or begin anew, and at which no job is: their time has come, and the
/// canaries of their rollout are well. Oldest first.
pub async fn due(from: &impl Read) -> Result<Vec<PipelineRow>> {
    let now = from.shared().now().await?;
    let found = sql::all(
        from,
        "SELECT p.* FROM pipelines p WHERE p.status IN ('pending', 'preflight') \
         AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = p.job_id \
         AND jobs.state IN ('queued', 'running')) AND (p.scheduled_at IS NULL OR p.scheduled_at <= $1) \
         AND (p.rollout IS NULL OR p.canary OR NOT EXISTS (SELECT 1 FROM pipelines c \
         WHERE c.account_id = p.account_id AND c.rollout = p.rollout AND c.canary \
         AND c.status <> 'completed')) ORDER BY p.id",
        [now.millis().into()],
    )
    .await?;
    found.iter().map(read).collect()
}

/// Pending ones of whose rollout a canary did not end well.
pub async fn disappointed(from: &impl Read) -> Result<Vec<PipelineRow>> {
    let found = sql::all(
        from,
        "SELECT p.* FROM pipelines p WHERE p.status = 'pending' AND NOT p.canary \
         AND EXISTS (SELECT 1 FROM pipelines c WHERE c.account_id = p.account_id \
         AND c.rollout = p.rollout AND c.canary \
         AND c.status IN ('failed', 'rolled_back', 'cancelled')) ORDER BY p.id",
        [],
    )
    .await?;
    found.iter().map(read).collect()
}

/// Approved ones at which no job is, and whose time has come.
pub async fn waiting(from: &impl Read) -> Result<Vec<PipelineRow>> {
    let now = from.shared().now().await?;
    let found = sql::all(
        from,
        "SELECT p.* FROM pipelines p WHERE p.status = 'approved' \
         AND (p.scheduled_at IS NULL OR p.scheduled_at <= $1) \
         AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = p.job_id \
         AND jobs.state IN ('queued', 'running')) ORDER BY p.id",
        [now.millis().into()],
    )
    .await?;
    found.iter().map(read).collect()
}

/// Those that nobody approved in time.
pub async fn lapsed(from: &impl Read) -> Result<Vec<PipelineRow>> {
    let now = from.shared().now().await?;
    let found = pipeline::Entity::find()
        .filter(pipeline::Column::Status.eq(PipelineState::AwaitingApproval.as_str()))
        .filter(pipeline::Column::ApprovalUntil.lte(now.millis()))
        .order_by_asc(pipeline::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(PipelineRow::read).collect()
}

/// Forgets those that have been over for this long, with what they found.
pub async fn prune(tx: &Tx, older_than: Duration) -> Result<u64> {
    let before = tx.now().await?.minus(older_than);
    sql::run(
        tx,
        "DELETE FROM pipelines WHERE finished_at < $1",
        [before.millis().into()],
    )
    .await
}

fn read(row: &QueryResult) -> Result<PipelineRow> {
    PipelineRow::read(pipeline::Model::from_query_result(row, "")?)
}
