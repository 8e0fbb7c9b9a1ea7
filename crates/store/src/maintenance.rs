//! Which sites are to stay in maintenance: what a site shows is a lease that lapses by
//! itself, and somebody must know that it is to be prolonged.

use crate::{Read, Result, Tx, sql};
use pressroom_base::{Epoch, id::EnvironmentId};

/// A site that is to stay in maintenance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The site.
    pub environment: EnvironmentId,
    /// The epoch under which it was last entered.
    pub epoch: Epoch,
}

/// Records that a site is to be in maintenance, entered under this epoch.
pub async fn want(tx: &Tx, environment: EnvironmentId, epoch: Epoch) -> Result<()> {
    let now = tx.now().await?;
    sql::run(
        tx,
        "INSERT INTO maintenance (environment_id, epoch, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (environment_id) DO UPDATE SET epoch = excluded.epoch",
        [
            environment.get().into(),
            epoch.get().into(),
            now.millis().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Records that a site need not be in maintenance any more.
pub async fn forget(tx: &Tx, environment: EnvironmentId) -> Result<()> {
    sql::run(
        tx,
        "DELETE FROM maintenance WHERE environment_id = $1",
        [environment.get().into()],
    )
    .await?;
    Ok(())
}

/// Whether a site is to be in maintenance.
pub async fn is_wanted(from: &impl Read, environment: EnvironmentId) -> Result<bool> {
    let found = sql::one(
        from,
        "SELECT 1 AS found FROM maintenance WHERE environment_id = $1",
        [environment.get().into()],
    )
    .await?;
    Ok(found.is_some())
}

/// All sites that are to be in maintenance.
pub async fn list(from: &impl Read) -> Result<Vec<Wanted>> {
    let rows = sql::all(
        from,
        "SELECT environment_id, epoch FROM maintenance ORDER BY environment_id",
        [],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Wanted {
                environment: EnvironmentId::new(row.try_get("", "environment_id")?),
                epoch: Epoch::new(row.try_get("", "epoch")?),
            })
        })
        .collect()
}
