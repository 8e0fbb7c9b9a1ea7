//! What changed in the sight of selectors, for those who keep a picture of it.
//!
//! The database marks each change in its own transaction (`m0017_changes`). A mark is
//! not consumed: every process asks what is new since the [`Moment`] it last saw, and
//! misses nothing that was committed before it asked, in whatever order. On SQLite
//! marks are numbers that rise in the order of commits; on PostgreSQL, where nothing
//! does, a moment is a snapshot, and new is what the old one does not show.

use crate::{Error, Result, Store, sql};
use pressroom_base::id::{AccountId, DomainId, EnvironmentId, HostId, SiteId};

/// How far somebody has seen; means something to the database it came from alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment(String);

/// What changed, or is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Changed {
    /// An environment: its row, its components, its snapshots or its tags.
    Environment(EnvironmentId),
    /// A site's name.
    Site(SiteId),
    /// An account's name.
    Account(AccountId),
    /// A domain's name.
    Domain(DomainId),
    /// A host's label or address.
    Host(HostId),
}

/// The present moment: what is read after it has everything committed before.
pub async fn now(store: &Store) -> Result<Moment> {
    let sql = if store.is_sqlite() {
        "SELECT CAST(COALESCE(MAX(stamp), 0) AS TEXT) AS moment FROM changes"
    } else {
        "SELECT pg_current_snapshot()::text AS moment"
    };
    let row = sql::one(store, sql, []).await?;
    let row = row.ok_or(Error::Corrupt { place: "changes" })?;
    Ok(Moment(row.try_get("", "moment")?))
}

/// What was committed since a moment, each thing once, and the moment up to which.
pub async fn since(store: &Store, seen: &Moment) -> Result<(Vec<Changed>, Moment)> {
    // A mark that a copy of another server brought along is of no transaction of this
    // one: it may lie ahead of all of them, and is not new.
    let sql = if store.is_sqlite() {
        "SELECT CAST(stamp AS TEXT) AS moment, subject, subject_id FROM changes \
         WHERE stamp > CAST($1 AS INTEGER) ORDER BY stamp"
    } else {
        "SELECT now.moment::text AS moment, c.subject, c.subject_id \
         FROM (SELECT pg_current_snapshot() AS moment) now \
         LEFT JOIN changes c \
         ON c.stamp >= pg_snapshot_xmin($1::pg_snapshot)::text::bigint \
         AND c.stamp < pg_snapshot_xmax(now.moment)::text::bigint \
         AND NOT pg_visible_in_snapshot(c.stamp::text::xid8, $1::pg_snapshot)"
    };
    let rows = sql::all(store, sql, [seen.0.as_str().into()]).await?;
    let mut moment = None;
    let mut changed = Vec::new();
    for row in rows {
        moment = Some(Moment(row.try_get("", "moment")?));
        let subject: Option<String> = row.try_get("", "subject")?;
        let id: Option<i64> = row.try_get("", "subject_id")?;
        if let Some((subject, id)) = subject.zip(id) {
            changed.push(Changed::read(&subject, id)?);
        }
    }
    Ok((changed, moment.unwrap_or_else(|| seen.clone())))
}

impl Changed {
    fn read(subject: &str, id: i64) -> Result<Self> {
        Ok(match subject {
            "environment" => Self::Environment(EnvironmentId::new(id)),
            "site" => Self::Site(SiteId::new(id)),
            "account" => Self::Account(AccountId::new(id)),
            "domain" => Self::Domain(DomainId::new(id)),
            "host" => Self::Host(HostId::new(id)),
            _ => {
                return Err(Error::Corrupt {
                    place: "changes.subject",
                });
            }
        })
    }
}
