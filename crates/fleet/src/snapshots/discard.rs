//! Removing snapshots because somebody wants it.

use super::{create::place_of, tell};
use crate::{Caller, Error, Fleet, Result, authorize::Action, code, teller::Teller};
use pressroom_base::{Kind, catalog::event, id::ShortId};
use pressroom_jobs::CancelOutcome;
use pressroom_store::{SnapshotHolder, SnapshotRow, SnapshotState, Tx, jobs, snapshots};
use serde_json::json;

/// The kind of the jobs that do nothing but take one.
const CAPTURE: &str = "site_snapshot";

/// What is to be done about the bytes once it is recorded that they go.
enum Bytes {
    /// They can go now.
    Here,
    /// Whoever writes them is told to stop, and removes them.
    BeingWritten,
}

impl Fleet {
    /// Removes a snapshot of the site that programs call so. Its record stays as `deleted`;
    /// one that is being taken is not taken on.
    ///
    /// Errors: `NotFound`, also where it was removed before; `Forbidden`; `Conflict` with
    /// [`code::HELD`] while something needs it; `Busy` while it is a part of another job.
    pub async fn remove_site_snapshot(
        &self,
        caller: &Caller,
        site: &ShortId,
        id: &ShortId,
    ) -> Result<()> {
        if caller.was_done() {
            return Ok(());
        }
        let row = self
            .site_snapshot(caller, Action::SnapshotRestore, site, id)
            .await?;
        self.discard(caller, &row).await
    }

    /// Removes a snapshot by its name.
    ///
    /// Errors: as [`Fleet::remove_site_snapshot`]; `Conflict` where it is gone already.
    pub async fn remove_snapshot(&self, caller: &Caller, name: &str) -> Result<()> {
        let row = self
            .find_snapshot(caller, Action::SnapshotRestore, name)
            .await?;
        if matches!(row.state, SnapshotState::Expired | SnapshotState::Deleted) {
            let state = row.state.as_str();
            return Err(Error::conflict(format!("snapshot `{name}` is {state}")));
        }
        self.discard(caller, &row).await
    }

    async fn discard(&self, caller: &Caller, row: &SnapshotRow) -> Result<()> {
        let tx = self.parts.store.begin().await?;
        let row = snapshots::lock(&tx, row.id).await?;
        if row.state == SnapshotState::Deleted {
            return Err(Error::not_found("snapshot"));
        }
        refuse_held(&tx, &row).await?;
        let bytes = match row.state {
            SnapshotState::Creating => self.stop_taking(&tx, &row).await?,
            _ => Bytes::Here,
        };
        snapshots::mark_deleted(&tx, row.id, row.state).await?;
        caller.makes(&tx, row.id.get()).await?;
        let told = json!({ "snapshot": row.public_id });
        tell::happened(&tx, event::SNAPSHOT_REMOVED, &row, Teller::of(caller), told).await?;
        tx.commit().await?;
        match bytes {
            Bytes::Here => self.dispose(&row).await,
            Bytes::BeingWritten => Ok(()),
        }
    }

    /// Has the job of one that is being taken stop.
    async fn stop_taking(&self, tx: &Tx, row: &SnapshotRow) -> Result<Bytes> {
        let job = match row.job_id {
            Some(id) => jobs::get(tx, id).await?,
            None => None,
        };
        let Some(job) = job.filter(|job| !job.state.is_final()) else {
            return Ok(Bytes::Here);
        };
        if job.kind != CAPTURE {
            let text = format!("the snapshot is a part of job {}", job.public_id);
            return Err(Error::new(Kind::Busy, text)
                .with_code(code::HELD)
                .with_hint("wait for it, or cancel it with `pressroom job cancel`"));
        }
        let reason = "the snapshot was removed";
        match pressroom_jobs::cancel(tx, &self.job_kinds(), job.id, reason).await? {
            CancelOutcome::TooLate => Ok(Bytes::Here),
            _ => Ok(Bytes::BeingWritten),
        }
    }

    /// Removes the bytes of one that expired or was removed. Interrupted, it is done by a
    /// later sweep.
    pub(super) async fn dispose(&self, row: &SnapshotRow) -> Result<()> {
        self.parts.archive.remove(&place_of(row)?).await?;
        let tx = self.parts.store.begin().await?;
        snapshots::mark_gone(&tx, row.id).await?;
        Ok(tx.commit().await?)
    }
}

/// Refuses to let go of what something needs yet.
async fn refuse_held(tx: &Tx, row: &SnapshotRow) -> Result<()> {
    let by = match snapshots::held_by(tx, row.id).await? {
        None => return Ok(()),
        Some(SnapshotHolder::Upgrade) => "an active upgrade pipeline",
        Some(SnapshotHolder::Restore) => "a restore",
    };
    Err(Error::conflict(format!("snapshot is in use by {by}")).with_code(code::HELD))
}
