//! Rate limits that hold over all processes: one fixed window per key.

use crate::{Error, Result, Store, Tx, sql};
use pressroom_base::Timestamp;
use sea_orm::QueryResult;
use std::time::Duration;

/// Where a key stands after a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateStatus {
    /// Hits allowed per window.
    pub limit: u32,
    /// Hits left in this window.
    pub remaining: u32,
    /// Seconds until the window ends, at least 1.
    pub reset_s: u64,
    /// When the window ends by the database's clock; the same for all of its hits.
    pub ends_at: Timestamp,
    /// Whether this hit is allowed.
    pub allowed: bool,
}

/// Counts a hit. The window opens with its first hit; refused hits do not extend it.
pub async fn hit(store: &Store, key: &str, limit: u32, window: Duration) -> Result<RateStatus> {
    let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    let clock = store.clock();
    // Counting stops one above the limit, which is enough to know that it is used up.
    let row = sql::alone(
        store,
        format!(
            "INSERT INTO rate_windows (key, window_start, count) VALUES ($1, {clock}, 1) \
             ON CONFLICT (key) DO UPDATE SET \
             count = CASE WHEN rate_windows.window_start <= {clock} - $2 THEN 1 \
                     WHEN rate_windows.count <= $3 THEN rate_windows.count + 1 \
                     ELSE rate_windows.count END, \
             window_start = CASE WHEN rate_windows.window_start <= {clock} - $2 THEN {clock} \
                            ELSE rate_windows.window_start END \
             RETURNING count, window_start, {clock} AS now"
        ),
        [key.into(), window_ms.into(), i64::from(limit).into()],
    )
    .await?
    .ok_or(Error::Corrupt {
        place: "rate_windows",
    })?;
    status(&row, limit, window_ms, |count| count <= i64::from(limit))
}

/// What a window's row says.
fn status(
    row: &QueryResult,
    limit: u32,
    window_ms: i64,
    allows: impl FnOnce(i64) -> bool,
) -> Result<RateStatus> {
    let count: i64 = row.try_get("", "count")?;
    let start: i64 = row.try_get("", "window_start")?;
    let now: i64 = row.try_get("", "now")?;
    let left_ms = start.saturating_add(window_ms).saturating_sub(now).max(1);
    Ok(RateStatus {
        limit,
        remaining: u32::try_from(i64::from(limit).saturating_sub(count)).unwrap_or(0),
        reset_s: u64::try_from(left_ms).unwrap_or(1).div_ceil(1000),
        ends_at: Timestamp::from_millis(start.saturating_add(window_ms)),
        allowed: allows(count),
    })
}

/// Where a key stands, without counting a hit.
pub async fn peek(store: &Store, key: &str, limit: u32, window: Duration) -> Result<RateStatus> {
    let window_ms = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    let clock = store.clock();
    let row = sql::one(
        store,
        format!(
            "SELECT count, window_start, {clock} AS now FROM rate_windows \
             WHERE key = $1 AND window_start > {clock} - $2"
        ),
        [key.into(), window_ms.into()],
    )
    .await?;
    let Some(row) = row else {
        return Ok(RateStatus {
            limit,
            remaining: limit,
            reset_s: u64::try_from(window_ms).unwrap_or(0).div_ceil(1000),
            ends_at: store.now().await?.plus(window),
            allowed: limit > 0,
        });
    };
    status(&row, limit, window_ms, |count| count < i64::from(limit))
}

/// Forgets windows that opened longer ago than any window lasts.
pub async fn prune(tx: &Tx, older_than: Duration) -> Result<u64> {
    let before = tx.now().await?.minus(older_than);
    sql::run(
        tx,
        "DELETE FROM rate_windows WHERE window_start < $1",
        [before.millis().into()],
    )
    .await
}
