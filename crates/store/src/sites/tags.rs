//! Tags of sites that have no environment yet: its tags are that environment's once there
//! is one. Folding and limits are their caller's.

use crate::{Read, Result, Tx, sql};
use pressroom_base::id::{EnvironmentId, SiteId};

/// A site's tags in the order of letters.
pub async fn tags(from: &impl Read, site: SiteId) -> Result<Vec<String>> {
    let found = sql::all(
        from,
        "SELECT tag FROM site_tags WHERE site_id = $1 ORDER BY tag",
        [site.get().into()],
    )
    .await?;
    found
        .iter()
        .map(|row| Ok(row.try_get("", "tag")?))
        .collect()
}

/// Gives a site these tags and no others.
pub async fn set_tags(tx: &Tx, site: SiteId, tags: &[String]) -> Result<()> {
    let all = "DELETE FROM site_tags WHERE site_id = $1";
    sql::run(tx, all, [site.get().into()]).await?;
    let now = tx.now().await?.millis();
    for tag in tags {
        sql::run(
            tx,
            "INSERT INTO site_tags (site_id, tag, created_at) VALUES ($1, $2, $3)",
            [site.get().into(), tag.as_str().into(), now.into()],
        )
        .await?;
    }
    Ok(())
}

/// Gives a site's tags to its environment.
pub async fn hand_tags_over(tx: &Tx, site: SiteId, environment: EnvironmentId) -> Result<()> {
    for tag in tags(tx, site).await? {
        crate::tags::add(tx, environment, &tag).await?;
    }
    set_tags(tx, site, &[]).await
}
