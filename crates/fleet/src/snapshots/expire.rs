//! Letting go of snapshots whose time is over.

use super::tell;
use crate::teller::Teller;
use crate::{Fleet, Result};
use pressroom_base::{Timestamp, catalog::event};
use pressroom_store::{SnapshotRow, SnapshotState, snapshots};
use serde_json::json;

/// How many at a time.
const AT_ONCE: u64 = 100;
const UNSENT: &str = "Nothing was sent in time";

impl Fleet {
    /// Expires what is due and not needed, ends what nobody sent, and removes bytes that an
    /// interrupted removal has left. What fails is tried again next time.
    pub(super) async fn expire_due(&self) -> Result<()> {
        let store = &self.parts.store;
        let now = store.now().await?;
        for row in snapshots::due(store, now, AT_ONCE).await? {
            told(&row, self.expire(&row, now).await);
        }
        for row in snapshots::unsent(store, now, AT_ONCE).await? {
            told(&row, self.give_up_waiting(&row).await);
        }
        for row in snapshots::left_behind(store, AT_ONCE).await? {
            told(&row, self.dispose(&row).await);
        }
        let tx = store.begin().await?;
        snapshots::prune_holds(&tx).await?;
        Ok(tx.commit().await?)
    }

    async fn expire(&self, row: &SnapshotRow, now: Timestamp) -> Result<()> {
        let tx = self.parts.store.begin().await?;
        let row = snapshots::lock(&tx, row.id).await?;
        let is_due = row.state == SnapshotState::Ready
            && row.expires_at.is_some_and(|until| until <= now)
            && snapshots::held_by(&tx, row.id).await?.is_none();
        if !is_due {
            return Ok(());
        }
        snapshots::mark_expired(&tx, row.id).await?;
        let told = json!({ "snapshot": row.public_id, "kind": row.contents.as_str() });
        tell::happened(
            &tx,
            event::SNAPSHOT_EXPIRED,
            &row,
            Teller::ourselves(),
            told,
        )
        .await?;
        tx.commit().await?;
        self.dispose(&row).await
    }

    /// Nothing was there that could be told of: no event.
    async fn give_up_waiting(&self, row: &SnapshotRow) -> Result<()> {
        let tx = self.parts.store.begin().await?;
        match snapshots::mark_unsent(&tx, row.id, UNSENT).await {
            Ok(()) => {}
            // It came after all.
            Err(pressroom_store::Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        tx.commit().await?;
        self.dispose(row).await
    }
}

fn told(row: &SnapshotRow, result: Result<()>) {
    if let Err(error) = result {
        let name = &row.public_id;
        tracing::warn!(snapshot = name, %error, "snapshot `{name}` could not be let go of yet");
    }
}
