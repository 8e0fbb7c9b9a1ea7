//! Who needs a snapshot yet: what is held is neither removed nor expires.
//!
//! A hold ends by itself, with its job or at its time, so that no crash leaves one.

use crate::{Result, Tx, sql};
use pressroom_base::{
    Timestamp,
    id::{JobId, SnapshotId},
};

names! {
    /// What needs a snapshot.
    SnapshotHolder {
        /// A restore that is under way.
        Restore = "restore",
        /// An upgrade that could be taken back to it.
        Upgrade = "upgrade",
    }
}

/// Has a snapshot be kept while a job is not over, or until a time, whichever is later.
pub async fn hold(
    tx: &Tx,
    id: SnapshotId,
    holder: SnapshotHolder,
    job: Option<JobId>,
    until: Option<Timestamp>,
) -> Result<()> {
    sql::run(
        tx,
        "INSERT INTO snapshot_holds (snapshot_id, holder, job_id, until) VALUES ($1, $2, $3, $4)",
        [
            id.get().into(),
            holder.as_str().into(),
            job.map(JobId::get).into(),
            until.map(Timestamp::millis).into(),
        ],
    )
    .await?;
    Ok(())
}

/// What needs a snapshot now.
pub async fn held_by(tx: &Tx, id: SnapshotId) -> Result<Option<SnapshotHolder>> {
    let now = tx.now().await?;
    let found = sql::one(
        tx,
        format!(
            "SELECT holder FROM snapshot_holds WHERE snapshot_id = $1 AND {} ORDER BY id LIMIT 1",
            in_force(now)
        ),
        [id.get().into()],
    )
    .await?;
    match found {
        Some(row) => Ok(SnapshotHolder::parse(&row.try_get::<String>("", "holder")?)),
        None => Ok(None),
    }
}

/// Forgets holds that are over.
pub async fn prune_holds(tx: &Tx) -> Result<u64> {
    let now = tx.now().await?;
    let over = format!("DELETE FROM snapshot_holds WHERE NOT ({})", in_force(now));
    sql::run(tx, over, []).await
}

/// That no hold of a snapshot is in force.
pub(super) fn none(now: Timestamp) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM snapshot_holds \
         WHERE snapshot_holds.snapshot_id = snapshots.id AND {})",
        in_force(now)
    )
}

/// A number of ours stands in the text; nothing else does.
fn in_force(now: Timestamp) -> String {
    format!(
        "(COALESCE(snapshot_holds.until, 0) > {} \
         OR EXISTS (SELECT 1 FROM jobs WHERE jobs.id = snapshot_holds.job_id \
         AND jobs.state IN ('queued', 'running')))",
        now.millis()
    )
}
