//! Whose turn it is to be asked what its policy permits. A turn is a lease with a name of its
//! own, so that of several processes one asks.

use crate::{Read, Result, Store, Tx, policies::PolicyOf, sql};
use pressroom_base::{Timestamp, id::SiteId, token};
use std::time::Duration;

/// The turn of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateTurn {
    /// The site.
    pub site_id: SiteId,
    /// What this turn is called.
    pub claim: String,
    /// The site's own time zone as it was last read.
    pub zone: Option<String>,
}

/// Sites of which a policy says that updates begin by themselves: `s`, with what the site
/// itself says as `p` and what its account says as `a`.
const AUTOMATIC: &str = "sites s LEFT JOIN update_policies p ON p.site_id = s.id \
     LEFT JOIN update_policies a ON a.account_id = s.account_id \
     WHERE COALESCE(p.automatic, a.automatic, FALSE)";

/// Gives every site a turn that has none and needs one, a quarter of a second apart.
pub async fn enrol(store: &Store) -> Result<u64> {
    let any = "SELECT 1 AS one FROM update_policies WHERE automatic LIMIT 1";
    if sql::one(store, any, []).await?.is_none() {
        return Ok(0);
    }
    let find = format!(
        "FROM {AUTOMATIC} AND NOT EXISTS (SELECT 1 FROM update_turns t WHERE t.site_id = s.id)"
    );
    let none = format!("SELECT s.id {find} LIMIT 1");
    if sql::one(store, none, []).await?.is_none() {
        return Ok(0);
    }
    let tx = store.begin().await?;
    let now = tx.now().await?;
    let added = sql::run(
        &tx,
        format!(
            "INSERT INTO update_turns (site_id, due_at) \
             SELECT s.id, $1 + 250 * (ROW_NUMBER() OVER (ORDER BY s.id) - 1) {find} \
             ON CONFLICT DO NOTHING"
        ),
        [now.millis().into()],
    )
    .await?;
    tx.commit().await?;
    Ok(added)
}

/// Takes the turns of at most so many sites that are due, for as long as `lease`. Sites that
/// are paused, or at which updates do not begin by themselves, have none.
pub async fn claim_due(store: &Store, most: usize, lease: Duration) -> Result<Vec<UpdateTurn>> {
    let clock = store.clock();
    let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX / 2);
    let name = token::hex(12);
    let skip = store.lock_clause("FOR UPDATE OF t SKIP LOCKED");
    let sql = format!(
        "UPDATE update_turns SET claim = $1, lease_until = {clock} + {lease} WHERE site_id IN (\
         SELECT t.site_id FROM update_turns t JOIN sites s ON s.id = t.site_id \
         LEFT JOIN update_policies p ON p.site_id = s.id \
         LEFT JOIN update_policies a ON a.account_id = s.account_id \
         WHERE t.due_at <= {clock} AND (t.lease_until IS NULL OR t.lease_until < {clock}) \
         AND COALESCE(p.automatic, a.automatic, FALSE) AND NOT s.paused \
         ORDER BY t.due_at LIMIT {most} {skip}) RETURNING site_id, zone"
    );
    let rows = sql::changed(store, sql, [name.clone().into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(UpdateTurn {
                site_id: SiteId::new(row.try_get("", "site_id")?),
                claim: name.clone(),
                zone: row.try_get("", "zone")?,
            })
        })
        .collect()
}

/// Ends a turn: the next is at `due_at`. A turn that somebody else has by now stays theirs;
/// so does one that was woken meanwhile.
pub async fn settle(
    store: &Store,
    turn: &UpdateTurn,
    due_at: Timestamp,
    zone: Option<&str>,
) -> Result<bool> {
    let done = sql::changed(
        store,
        "UPDATE update_turns SET claim = NULL, lease_until = NULL, due_at = $1, \
         zone = COALESCE($2, zone) WHERE site_id = $3 AND claim = $4 RETURNING site_id",
        [
            due_at.millis().into(),
            zone.into(),
            turn.site_id.get().into(),
            turn.claim.as_str().into(),
        ],
    )
    .await?;
    Ok(!done.is_empty())
}

/// Makes the turns of the sites that a policy is about due now, and has approved pipelines there
/// that wait for a window looked at again: it says something else by now.
pub async fn wake(tx: &Tx, of: PolicyOf) -> Result<()> {
    let now = tx.now().await?;
    let (which, id) = about(of, 2);
    sql::run(
        tx,
        format!(
            "UPDATE update_turns SET due_at = $1, claim = NULL, lease_until = NULL \
             WHERE site_id IN ({which})"
        ),
        [now.millis().into(), id.into()],
    )
    .await?;
    sql::run(
        tx,
        format!(
            "UPDATE pipelines SET scheduled_at = $1 WHERE status = 'approved' \
             AND scheduled_at > $1 AND site_id IN ({which})"
        ),
        [now.millis().into(), id.into()],
    )
    .await?;
    Ok(())
}

/// A site's own time zone as it was last read.
pub async fn zone(from: &impl Read, site: SiteId) -> Result<Option<String>> {
    let sql = "SELECT zone FROM update_turns WHERE site_id = $1";
    match sql::one(from, sql, [site.get().into()]).await? {
        Some(row) => Ok(row.try_get("", "zone")?),
        None => Ok(None),
    }
}

/// Records a site's own time zone.
pub async fn set_zone(store: &Store, site: SiteId, zone: &str) -> Result<()> {
    let sql = "UPDATE update_turns SET zone = $1 WHERE site_id = $2 RETURNING site_id";
    sql::changed(store, sql, [zone.into(), site.get().into()]).await?;
    Ok(())
}

/// The sites that a policy is about, for `IN (…)` with the id as this parameter.
pub(super) fn about(of: PolicyOf, at: u8) -> (String, i64) {
    let (column, id) = match of {
        PolicyOf::Account(id) => ("account_id", id.get()),
        PolicyOf::Site(id) => ("id", id.get()),
    };
    (format!("SELECT id FROM sites WHERE {column} = ${at}"), id)
}
