//! When sites were down. One is open or none, by an index of the database.

use crate::{Read, Result, Tx, sql};
use pressroom_base::{
    Timestamp,
    id::{ShortId, SiteId},
};

/// A time in which a site was down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Since when.
    pub opened_at: Timestamp,
    /// The look that found it.
    pub opened_by: String,
    /// What was wrong.
    pub error: Option<String>,
}

/// Records that a site is down since then; `false` when it was known to be.
pub async fn open(
    tx: &Tx,
    site: SiteId,
    since: Timestamp,
    by: &ShortId,
    error: Option<&str>,
) -> Result<bool> {
    let done = sql::run(
        tx,
        "INSERT INTO health_incidents (site_id, opened_at, opened_by, error) \
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        [
            site.get().into(),
            since.millis().into(),
            by.as_str().into(),
            error.into(),
        ],
    );
    Ok(done.await? == 1)
}

/// Records that a site is back; says since when it was down, if it was.
pub async fn close(tx: &Tx, site: SiteId, by: &ShortId) -> Result<Option<Timestamp>> {
    let now = tx.now().await?;
    let closed = sql::one(
        tx,
        "UPDATE health_incidents SET closed_at = $1, closed_by = $2 \
         WHERE site_id = $3 AND closed_at IS NULL RETURNING opened_at",
        [now.millis().into(), by.as_str().into(), site.get().into()],
    );
    match closed.await? {
        None => Ok(None),
        Some(row) => Ok(Some(Timestamp::from_millis(row.try_get("", "opened_at")?))),
    }
}

/// The time in which a site is down, if it is.
pub async fn open_of(from: &impl Read, site: SiteId) -> Result<Option<Incident>> {
    let found = sql::one(
        from,
        "SELECT opened_at, opened_by, error FROM health_incidents \
         WHERE site_id = $1 AND closed_at IS NULL",
        [site.get().into()],
    );
    let Some(row) = found.await? else {
        return Ok(None);
    };
    Ok(Some(Incident {
        opened_at: Timestamp::from_millis(row.try_get("", "opened_at")?),
        opened_by: row.try_get("", "opened_by")?,
        error: row.try_get("", "error")?,
    }))
}
