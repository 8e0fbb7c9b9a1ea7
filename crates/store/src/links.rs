//! Links that may be used once: which ones were.
//!
//! A link carries its own rights and its own end; all that is kept of it is that it
//! was used, for as long as it could be used again.

use crate::{Read, Result, Tx, sql};
use pressroom_base::Timestamp;
use std::time::Duration;

/// A used link is remembered this long beyond its end: whoever judges its end may
/// have a clock that is behind the database's.
const MARGIN: Duration = Duration::from_hours(24);

/// Uses a link up. `false` when somebody has done so before: of any number that try at
/// once, one gets `true`, and keeps it only if `tx` commits.
pub async fn spend(tx: &Tx, nonce: &str, expires_at: Timestamp) -> Result<bool> {
    let now = tx.now().await?;
    let touched = sql::run(
        tx,
        "INSERT INTO spent_links (nonce, spent_at, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (nonce) DO NOTHING",
        [
            nonce.into(),
            now.millis().into(),
            expires_at.millis().into(),
        ],
    )
    .await?;
    Ok(touched > 0)
}

/// Whether a link was used up.
pub async fn is_spent(from: &impl Read, nonce: &str) -> Result<bool> {
    let found = sql::one(
        from,
        "SELECT 1 AS found FROM spent_links WHERE nonce = $1",
        [nonce.into()],
    )
    .await?;
    Ok(found.is_some())
}

/// Forgets used links that nobody could use again anyway.
pub async fn prune(tx: &Tx) -> Result<u64> {
    let before = tx.now().await?.minus(MARGIN);
    sql::run(
        tx,
        "DELETE FROM spent_links WHERE expires_at <= $1",
        [before.millis().into()],
    )
    .await
}
