//! Whose turn it is. A turn is a lease with a name of its own: what is found in it is
//! recorded under that name alone, so that a look that took too long, or that another
//! process made meanwhile, counts once.

use crate::{Error, Read, Result, Store, Tx, sql};
use pressroom_base::{Timestamp, id::SiteId, token};
use std::time::Duration;

/// The turn of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The site.
    pub site_id: SiteId,
    /// What this turn is called.
    pub claim: String,
    /// Whether it is time for a closer look.
    pub full: bool,
    /// What earlier looks left to be remembered, as they wrote it; empty at the first.
    pub memory: String,
    /// From when on the site is slow, where somebody said so.
    pub slow_ms: Option<u64>,
}

/// What is known of a site whose turn is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// As [`Turn::memory`], now.
    pub memory: String,
    /// When the next closer look is due.
    pub full_due_at: Timestamp,
    /// As [`Turn::slow_ms`].
    pub slow_ms: Option<u64>,
}

/// How a turn ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// What is to be remembered.
    pub memory: String,
    /// When the site is looked at again.
    pub due_at: Timestamp,
    /// And closer.
    pub full_due_at: Timestamp,
}

/// Gives every site turns that has none yet: the first look at once, the first closer one
/// after `settle`, those of many sites spread over an hour.
pub async fn enrol(store: &Store, settle: Duration) -> Result<u64> {
    const FIND: &str = "SELECT s.id FROM sites s WHERE NOT EXISTS \
                        (SELECT 1 FROM site_health h WHERE h.site_id = s.id)";
    if sql::one(store, format!("{FIND} LIMIT 1"), [])
        .await?
        .is_none()
    {
        return Ok(0);
    }
    let tx = store.begin().await?;
    let now = tx.now().await?;
    let added = sql::run(
        &tx,
        "INSERT INTO site_health (site_id, due_at, full_due_at, memory) \
         SELECT s.id, $1, $2 + (s.id * 7919) % 3600000, '' FROM sites s WHERE NOT EXISTS \
         (SELECT 1 FROM site_health h WHERE h.site_id = s.id) ON CONFLICT DO NOTHING",
        [now.millis().into(), now.plus(settle).millis().into()],
    );
    let added = added.await?;
    tx.commit().await?;
    Ok(added)
}

/// Takes the turns of at most so many sites that are due, for as long as `lease`. Sites
/// that are paused, or of which nothing is to be looked at, have none.
pub async fn claim_due(store: &Store, most: usize, lease: Duration) -> Result<Vec<Turn>> {
    let clock = store.clock();
    let lease = millis(lease);
    let name = token::hex(12);
    let skip = store.lock_clause("FOR UPDATE OF h SKIP LOCKED");
    let sql = format!(
        "UPDATE site_health SET claim = $1, lease_until = {clock} + {lease} WHERE site_id IN (\
         SELECT h.site_id FROM site_health h JOIN sites s ON s.id = h.site_id \
         WHERE h.due_at <= {clock} AND (h.lease_until IS NULL OR h.lease_until < {clock}) \
         AND NOT s.paused AND (s.url IS NOT NULL OR EXISTS (SELECT 1 FROM environments e \
         WHERE e.site_id = s.id AND e.kind = 'production' AND e.state IN ('active', 'broken'))) \
         ORDER BY h.due_at LIMIT {most} {skip}) \
         RETURNING site_id, memory, slow_ms, full_due_at <= {clock} AS closer"
    );
    let rows = sql::changed(store, sql, [name.clone().into()]).await?;
    rows.iter().map(|row| turn(row, &name)).collect()
}

/// Takes the turn of one site, from whoever has it: what they find will not count.
pub async fn claim_one(store: &Store, site: SiteId, lease: Duration) -> Result<Option<Turn>> {
    enrol(store, Duration::ZERO).await?;
    let clock = store.clock();
    let name = token::hex(12);
    let sql = format!(
        "UPDATE site_health SET claim = $1, lease_until = {clock} + {} WHERE site_id = $2 \
         RETURNING site_id, memory, slow_ms, full_due_at <= {clock} AS closer",
        millis(lease)
    );
    let rows = sql::changed(store, sql, [name.clone().into(), site.get().into()]).await?;
    rows.first().map(|row| turn(row, &name)).transpose()
}

fn turn(row: &sea_orm::QueryResult, name: &str) -> Result<Turn> {
    // SQLite has no truth, only numbers.
    let full = row
        .try_get::<bool>("", "closer")
        .or_else(|_| row.try_get::<i64>("", "closer").map(|it| it != 0))?;
    Ok(Turn {
        site_id: SiteId::new(row.try_get("", "site_id")?),
        claim: name.to_owned(),
        full,
        memory: row.try_get("", "memory")?,
        slow_ms: slow(row)?,
    })
}

fn slow(row: &sea_orm::QueryResult) -> Result<Option<u64>> {
    let slow: Option<i64> = row.try_get("", "slow_ms")?;
    Ok(slow.and_then(|ms| u64::try_from(ms).ok()))
}

/// What is remembered of a site; `None` where it was never looked at.
pub async fn memory(from: &impl Read, site: SiteId) -> Result<Option<String>> {
    let sql = "SELECT memory FROM site_health WHERE site_id = $1";
    let found = sql::one(from, sql, [site.get().into()]).await?;
    Ok(found.map(|row| row.try_get("", "memory")).transpose()?)
}

/// Locks a site's turn and reads what is remembered; `None` when the turn is another's
/// by now, or the site is gone.
pub async fn hold(tx: &Tx, site: SiteId, claim: &str) -> Result<Option<Held>> {
    let found = sql::one(
        tx,
        format!(
            "SELECT memory, slow_ms, full_due_at FROM site_health \
             WHERE site_id = $1 AND claim = $2 {}",
            tx.store().lock_clause("FOR UPDATE")
        ),
        [site.get().into(), claim.into()],
    );
    let Some(row) = found.await? else {
        return Ok(None);
    };
    Ok(Some(Held {
        memory: row.try_get("", "memory")?,
        full_due_at: Timestamp::from_millis(row.try_get("", "full_due_at")?),
        slow_ms: slow(&row)?,
    }))
}

/// Ends a turn that is held.
pub async fn settle(tx: &Tx, site: SiteId, claim: &str, settled: &Settled) -> Result<()> {
    let done = sql::run(
        tx,
        "UPDATE site_health SET memory = $1, due_at = $2, full_due_at = $3, claim = NULL, \
         lease_until = NULL WHERE site_id = $4 AND claim = $5",
        [
            settled.memory.as_str().into(),
            settled.due_at.millis().into(),
            settled.full_due_at.millis().into(),
            site.get().into(),
            claim.into(),
        ],
    );
    if done.await? == 0 {
        return Err(Error::NotFound { what: "turn" });
    }
    Ok(())
}

/// Holds a turn for so long from now; `false` when it is another's by now.
pub async fn prolong(store: &Store, turn: &Turn, lease: Duration) -> Result<bool> {
    let sql = format!(
        "UPDATE site_health SET lease_until = {} + {} WHERE site_id = $1 AND claim = $2 \
         RETURNING site_id",
        store.clock(),
        millis(lease)
    );
    let values = [turn.site_id.get().into(), turn.claim.as_str().into()];
    Ok(!sql::changed(store, sql, values).await?.is_empty())
}

/// Gives a turn back unused; the next is after `delay`.
pub async fn put_off(store: &Store, turn: &Turn, delay: Duration) -> Result<()> {
    let sql = format!(
        "UPDATE site_health SET claim = NULL, lease_until = NULL, due_at = {} + {} \
         WHERE site_id = $1 AND claim = $2 RETURNING site_id",
        store.clock(),
        millis(delay)
    );
    let values = [turn.site_id.get().into(), turn.claim.as_str().into()];
    sql::changed(store, sql, values).await?;
    Ok(())
}

/// From when on a site counts as slow, where somebody said so.
pub async fn slow_ms(from: &impl Read, site: SiteId) -> Result<Option<u64>> {
    let found = sql::one(
        from,
        "SELECT slow_ms FROM site_health WHERE site_id = $1",
        [site.get().into()],
    );
    found.await?.map_or(Ok(None), |row| slow(&row))
}

/// Says from when on a site counts as slow; `None` leaves it to the usual.
pub async fn set_slow_ms(tx: &Tx, site: SiteId, slow_ms: Option<u64>) -> Result<()> {
    let now = tx.now().await?.millis();
    let slow_ms = slow_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
    sql::run(
        tx,
        "INSERT INTO site_health (site_id, due_at, full_due_at, memory, slow_ms) \
         VALUES ($1, $2, $2, '', $3) ON CONFLICT (site_id) DO UPDATE SET slow_ms = excluded.slow_ms",
        [site.get().into(), now.into(), slow_ms.into()],
    )
    .await?;
    Ok(())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
