//! What was begun by a policy: the same update is not begun twice by itself.

use super::{PolicyOf, turns::about};
use crate::{Read, Result, Tx, sql};
use pressroom_base::id::SiteId;

/// An update that a policy began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// `core`, `plugin` or `theme`.
    pub kind: String,
    /// Its directory; `core` for WordPress.
    pub slug: String,
    /// The version it was to go to.
    pub version: String,
}

/// Records that an update is begun; `false` where the same was begun before. The last one of
/// each component is remembered.
pub async fn begin(tx: &Tx, site: SiteId, new: &Tried) -> Result<bool> {
    let now = tx.now().await?;
    let done = sql::run(
        tx,
        "INSERT INTO update_tries (site_id, kind, slug, version, at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (site_id, kind, slug) \
         DO UPDATE SET version = excluded.version, at = excluded.at \
         WHERE update_tries.version <> excluded.version",
        [
            site.get().into(),
            new.kind.as_str().into(),
            new.slug.as_str().into(),
            new.version.as_str().into(),
            now.millis().into(),
        ],
    )
    .await?;
    Ok(done > 0)
}

/// What was begun at a site, the last of each component.
pub async fn tried(from: &impl Read, site: SiteId) -> Result<Vec<Tried>> {
    let found = sql::all(
        from,
        "SELECT kind, slug, version FROM update_tries WHERE site_id = $1 ORDER BY kind, slug",
        [site.get().into()],
    )
    .await?;
    found
        .iter()
        .map(|row| {
            Ok(Tried {
                kind: row.try_get("", "kind")?,
                slug: row.try_get("", "slug")?,
                version: row.try_get("", "version")?,
            })
        })
        .collect()
}

/// Forgets what was begun at the sites that a policy is about: all of it may be tried again.
pub async fn forget(tx: &Tx, of: PolicyOf) -> Result<()> {
    let (which, id) = about(of, 1);
    sql::run(
        tx,
        format!("DELETE FROM update_tries WHERE site_id IN ({which})"),
        [id.into()],
    )
    .await?;
    Ok(())
}
