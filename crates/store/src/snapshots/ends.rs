//! Ends of snapshots: when their time is over, or somebody removes them.

use super::{SnapshotRow, SnapshotState, change, holds::none, one, snapshot};
use crate::{Read, Result, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{EnvironmentId, SiteId, SnapshotId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

/// Sets when one that is ready may be removed; never, for `None`.
pub async fn set_expiry(tx: &Tx, id: SnapshotId, expires_at: Option<Timestamp>) -> Result<()> {
    let change = change(id, SnapshotState::Ready)
        .col_expr(snapshot::Column::ExpiresAt, Expr::val(expires_at.raw()));
    one(tx, change).await
}

/// Has all that are ready of an environment be removed at this time, where not sooner.
pub async fn limit_expiry(tx: &Tx, environment: EnvironmentId, until: Timestamp) -> Result<()> {
    sql::run(
        tx,
        "UPDATE snapshots SET expires_at = $1 WHERE environment_id = $2 AND state = 'ready' \
         AND (expires_at IS NULL OR expires_at > $1)",
        [until.millis().into(), environment.get().into()],
    )
    .await?;
    Ok(())
}

/// Has all that are ready of a site be removed at this time, where not sooner.
pub async fn limit_expiry_of_site(tx: &Tx, site: SiteId, until: Timestamp) -> Result<()> {
    sql::run(
        tx,
        "UPDATE snapshots SET expires_at = $1 WHERE site_id = $2 AND state = 'ready' \
         AND (expires_at IS NULL OR expires_at > $1)",
        [until.millis().into(), site.get().into()],
    )
    .await?;
    Ok(())
}

/// Those whose time is over and that nobody needs yet, the longest first.
pub async fn due(from: &impl Read, now: Timestamp, limit: u64) -> Result<Vec<SnapshotRow>> {
    let found = snapshot::Entity::find()
        .filter(snapshot::Column::State.eq(SnapshotState::Ready.as_str()))
        .filter(snapshot::Column::ExpiresAt.lte(now.millis()))
        .filter(Expr::cust(none(now)))
        .order_by_asc(snapshot::Column::ExpiresAt)
        .order_by_asc(snapshot::Column::Id)
        .limit(limit)
        .all(from.connection())
        .await?;
    found.into_iter().map(SnapshotRow::read).collect()
}

/// Records that one that was ready is not in the archive any more.
pub async fn mark_expired(tx: &Tx, id: SnapshotId) -> Result<()> {
    let change = change(id, SnapshotState::Ready).col_expr(
        snapshot::Column::State,
        Expr::val(SnapshotState::Expired.as_str()),
    );
    one(tx, change).await
}

/// Records that one that was awaited did not come in time.
pub async fn mark_unsent(tx: &Tx, id: SnapshotId, fault: &str) -> Result<()> {
    let change = change(id, SnapshotState::Awaiting)
        .col_expr(
            snapshot::Column::State,
            Expr::val(SnapshotState::Expired.as_str()),
        )
        .col_expr(snapshot::Column::Fault, Expr::val(fault));
    one(tx, change).await
}

/// Records that somebody removed one that was in this state; it takes no room any more.
/// [`Error::NotFound`] when it is in another by now.
pub async fn mark_deleted(tx: &Tx, id: SnapshotId, from: SnapshotState) -> Result<()> {
    let mut change = change(id, from).col_expr(
        snapshot::Column::State,
        Expr::val(SnapshotState::Deleted.as_str()),
    );
    if from == SnapshotState::Creating {
        let now = tx.now().await?.millis();
        change = change
            .col_expr(snapshot::Column::Size, Expr::val(0_i64))
            .col_expr(snapshot::Column::FinishedAt, Expr::val(now));
    }
    one(tx, change).await
}

/// What the place of one begins with whose bytes are gone from the archive.
const GONE: &str = "gone/";

/// Records that nothing is in the archive of one that expired or was removed.
pub async fn mark_gone(tx: &Tx, id: SnapshotId) -> Result<()> {
    sql::run(
        tx,
        "UPDATE snapshots SET object_key = $1 WHERE id = $2 \
         AND state IN ('expired', 'deleted')",
        [format!("{GONE}{id}").into(), id.get().into()],
    )
    .await?;
    Ok(())
}

/// Those that expired or were removed and of which something may be in the archive yet, the
/// oldest first.
pub async fn left_behind(from: &impl Read, limit: u64) -> Result<Vec<SnapshotRow>> {
    let states = [SnapshotState::Expired, SnapshotState::Deleted];
    let found = snapshot::Entity::find()
        .filter(snapshot::Column::State.is_in(states.map(SnapshotState::as_str)))
        .filter(snapshot::Column::ObjectKey.not_like(format!("{GONE}%")))
        .order_by_asc(snapshot::Column::Id)
        .limit(limit)
        .all(from.connection())
        .await?;
    found.into_iter().map(SnapshotRow::read).collect()
}
