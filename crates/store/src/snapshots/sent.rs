//! Snapshots that somebody sends.

use super::{
    SnapshotContents, SnapshotFormat, SnapshotRow, SnapshotState, StoredSnapshot, change, one,
    snapshot,
};
use crate::{Read, Result, Tx};
use pressroom_base::{Timestamp, id::SnapshotId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

/// What was sent.
#[derive(Debug, Clone)]
pub struct SentSnapshot {
    /// What is in the archive of it.
    pub stored: StoredSnapshot,
    /// How it is packed.
    pub format: SnapshotFormat,
    /// Where it is in its store.
    pub object_key: String,
    /// What of the site is in it.
    pub contents: SnapshotContents,
    /// What was found in it.
    pub found: serde_json::Value,
}

/// Says where the bytes of one that is awaited will be, before they count: whatever becomes
/// of their writer, they are found again. [`crate::Error::NotFound`] when it is not awaited.
pub async fn intend_upload(tx: &Tx, id: SnapshotId, object_key: &str) -> Result<()> {
    let change = change(id, SnapshotState::Awaiting)
        .col_expr(snapshot::Column::ObjectKey, Expr::val(object_key));
    one(tx, change).await
}

/// Records what was sent of one that is awaited: of any number that try, one does.
/// [`crate::Error::NotFound`] for all others.
pub async fn finish_upload(tx: &Tx, id: SnapshotId, sent: SentSnapshot) -> Result<()> {
    let now = tx.now().await?.millis();
    let change = change(id, SnapshotState::Awaiting)
        .col_expr(
            snapshot::Column::State,
            Expr::val(SnapshotState::Ready.as_str()),
        )
        .col_expr(snapshot::Column::Size, Expr::val(sent.stored.size))
        .col_expr(snapshot::Column::Sha256, Expr::val(sent.stored.sha256))
        .col_expr(
            snapshot::Column::WordpressVersion,
            Expr::val(sent.stored.wordpress_version),
        )
        .col_expr(snapshot::Column::Format, Expr::val(sent.format.as_str()))
        .col_expr(
            snapshot::Column::Contents,
            Expr::val(sent.contents.as_str()),
        )
        .col_expr(snapshot::Column::ObjectKey, Expr::val(sent.object_key))
        .col_expr(snapshot::Column::Found, Expr::val(sent.found.to_string()))
        .col_expr(snapshot::Column::VerifiedAt, Expr::val(now))
        .col_expr(snapshot::Column::FinishedAt, Expr::val(now));
    one(tx, change).await
}

/// Those that did not come in time, the longest ago first.
pub async fn unsent(from: &impl Read, now: Timestamp, limit: u64) -> Result<Vec<SnapshotRow>> {
    let found = snapshot::Entity::find()
        .filter(snapshot::Column::State.eq(SnapshotState::Awaiting.as_str()))
        .filter(snapshot::Column::UploadUntil.lte(now.millis()))
        .order_by_asc(snapshot::Column::UploadUntil)
        .order_by_asc(snapshot::Column::Id)
        .limit(limit)
        .all(from.connection())
        .await?;
    found.into_iter().map(SnapshotRow::read).collect()
}
