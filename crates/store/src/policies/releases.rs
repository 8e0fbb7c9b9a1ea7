//! Since when releases are known.

use crate::{Read, Result, Store, Tx, sql};
use pressroom_base::Timestamp;

/// A release that was on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRow {
    /// `core`, `plugin` or `theme`.
    pub kind: String,
    /// Its directory; `core` for WordPress.
    pub slug: String,
    /// Which.
    pub version: String,
    /// When this installation first saw it.
    pub seen_at: Timestamp,
    /// When it was released, where its source tells.
    pub released_at: Option<Timestamp>,
    /// Whether its source was asked.
    pub asked: bool,
}

impl ReleaseRow {
    /// Since when it counts as known: its release, where that is told, and at the latest since
    /// this installation first saw it.
    pub fn since(&self) -> Timestamp {
        self.released_at
            .map_or(self.seen_at, |at| at.min(self.seen_at))
    }
}

/// Releases noted in one statement.
const AT_ONCE: usize = 200;
/// New offers noted in one go.
const MOST: usize = 2000;

/// Notes the offers that are recorded of components and were not seen before; says how many.
/// The many that are known cost a look and no write.
pub async fn note_offers(store: &Store) -> Result<usize> {
    let found = sql::all(
        store,
        format!(
            "SELECT DISTINCT c.kind, c.slug, c.new_version AS version FROM components c \
             WHERE c.new_version IS NOT NULL AND c.place = 'normal' AND NOT EXISTS (\
             SELECT 1 FROM releases r WHERE r.kind = c.kind AND r.slug = c.slug \
             AND r.version = c.new_version) LIMIT {MOST}"
        ),
        [],
    )
    .await?;
    let mut new = Vec::with_capacity(found.len());
    for row in &found {
        new.push((
            row.try_get("", "kind")?,
            row.try_get("", "slug")?,
            row.try_get("", "version")?,
        ));
    }
    if !new.is_empty() {
        let tx = store.begin().await?;
        note_releases(&tx, &new).await?;
        tx.commit().await?;
    }
    Ok(new.len())
}

/// Notes releases, each as kind, slug and version; those that are known stay as they are.
pub async fn note_releases(tx: &Tx, new: &[(String, String, String)]) -> Result<()> {
    let now = tx.now().await?.millis();
    for some in new.chunks(AT_ONCE) {
        let mut values = Vec::with_capacity(some.len() * 3 + 1);
        values.push(now.into());
        let mut rows = Vec::with_capacity(some.len());
        for (kind, slug, version) in some {
            let at = values.len();
            rows.push(format!(
                "(${}, ${}, ${}, $1, FALSE)",
                at + 1,
                at + 2,
                at + 3
            ));
            values.extend([kind, slug, version].map(|it| it.as_str().into()));
        }
        sql::run(
            tx,
            format!(
                "INSERT INTO releases (kind, slug, version, seen_at, asked) VALUES {} \
                 ON CONFLICT DO NOTHING",
                rows.join(", ")
            ),
            values,
        )
        .await?;
    }
    Ok(())
}

/// All releases of one thing that were ever on offer.
pub async fn releases_of(from: &impl Read, kind: &str, slug: &str) -> Result<Vec<ReleaseRow>> {
    let found = sql::all(
        from,
        "SELECT kind, slug, version, seen_at, released_at, asked FROM releases \
         WHERE kind = $1 AND slug = $2 ORDER BY id",
        [kind.into(), slug.into()],
    )
    .await?;
    found
        .iter()
        .map(|row| {
            let released: Option<i64> = row.try_get("", "released_at")?;
            Ok(ReleaseRow {
                kind: row.try_get("", "kind")?,
                slug: row.try_get("", "slug")?,
                version: row.try_get("", "version")?,
                seen_at: Timestamp::from_millis(row.try_get("", "seen_at")?),
                released_at: released.map(Timestamp::from_millis),
                // SQLite has no truth, only numbers.
                asked: row
                    .try_get::<bool>("", "asked")
                    .or_else(|_| row.try_get::<i64>("", "asked").map(|it| it != 0))?,
            })
        })
        .collect()
}

/// Remembers what a release's source says of its date; it is not asked again.
pub async fn set_released(tx: &Tx, release: &ReleaseRow, at: Option<Timestamp>) -> Result<()> {
    sql::run(
        tx,
        "UPDATE releases SET released_at = $1, asked = TRUE \
         WHERE kind = $2 AND slug = $3 AND version = $4",
        [
            at.map(Timestamp::millis).into(),
            release.kind.as_str().into(),
            release.slug.as_str().into(),
            release.version.as_str().into(),
        ],
    )
    .await?;
    Ok(())
}
