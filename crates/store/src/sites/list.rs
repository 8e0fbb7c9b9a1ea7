//! Listing sites, each with the environment that stands for it.

use crate::{
    EnvironmentRow, Error, Page, Read, Result, Scope, SiteRow, SiteStatus, environments, sql,
};
use pressroom_base::id::{AccountId, EnvironmentId, SiteId};
use sea_orm::{QueryResult, Value};
use std::{collections::HashMap, fmt::Write as _};

/// A site as its account knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownSite {
    /// The site.
    pub site: SiteRow,
    /// Its production, or else its first environment that is more than a record; none while
    /// only its address is known.
    pub environment: Option<EnvironmentRow>,
    /// How it is. Where no health check has said so yet, an environment that was seen to serve
    /// is well, and one that was seen not to is down.
    pub status: SiteStatus,
}

/// Which sites to list; nothing is all of them.
#[derive(Debug, Clone, Default)]
pub struct SiteFilter {
    /// Those that are so.
    pub status: Option<SiteStatus>,
    /// Those in whose name or address this is, however it is written.
    pub text: Option<String>,
    /// Those that have this tag.
    pub tag: Option<String>,
}

/// The environment that stands for a site `s`, as `e`.
const FROM: &str = "sites s LEFT JOIN environments e ON e.id = (\
     SELECT x.id FROM environments x WHERE x.site_id = s.id AND x.state <> 'failed' \
     ORDER BY CASE x.kind WHEN 'production' THEN 0 ELSE 1 END, x.id LIMIT 1)";

/// What is a site at all.
const IS_ONE: &str = "(e.id IS NOT NULL OR s.url IS NOT NULL)";

/// How it is.
const STATUS: &str = "CASE WHEN s.paused THEN 'paused' \
     WHEN s.status <> 'pending' OR e.id IS NULL THEN s.status \
     WHEN e.state = 'active' THEN 'healthy' WHEN e.state = 'broken' THEN 'down' \
     ELSE 'pending' END";

/// The sites within a scope by name, however it is written, then by what programs call
/// them; and how many these are on all pages. Four statements, however many there are.
pub async fn list(
    from: &impl Read,
    scope: &Scope,
    filter: &SiteFilter,
    page: Page,
) -> Result<(Vec<KnownSite>, u64)> {
    let (wanted, values) = wanted(scope, filter);
    let total = total(from, &wanted, values.clone()).await?;
    let bytewise = if from.shared().is_sqlite() {
        ""
    } else {
        "COLLATE \"C\""
    };
    let rows = sql::all(
        from,
        format!(
            "SELECT s.id AS id, e.id AS environment, {STATUS} AS status FROM {FROM} WHERE {wanted} \
             ORDER BY LOWER(s.name) {bytewise}, s.short_id {bytewise} LIMIT {} OFFSET {}",
            page.limit.min(i64::MAX as u64),
            page.offset.min(i64::MAX as u64)
        ),
        values,
    )
    .await?;
    Ok((whole(from, &rows).await?, total))
}

/// How many sites an account has.
pub async fn count(from: &impl Read, account: AccountId) -> Result<u64> {
    let (wanted, values) = wanted(&Scope::Accounts(vec![account]), &SiteFilter::default());
    total(from, &wanted, values).await
}

/// One site.
pub async fn known(from: &impl Read, id: SiteId) -> Result<Option<KnownSite>> {
    let rows = sql::all(
        from,
        format!(
            "SELECT s.id AS id, e.id AS environment, {STATUS} AS status FROM {FROM} \
             WHERE s.id = $1 AND {IS_ONE}"
        ),
        [id.get().into()],
    )
    .await?;
    Ok(whole(from, &rows).await?.pop())
}

/// The sites within a scope of which only an address is known, by name.
pub async fn list_unconnected(from: &impl Read, scope: &Scope) -> Result<Vec<KnownSite>> {
    let (wanted, values) = wanted(scope, &SiteFilter::default());
    let rows = sql::all(
        from,
        format!(
            "SELECT s.id AS id, e.id AS environment, {STATUS} AS status FROM {FROM} \
             WHERE {wanted} AND e.id IS NULL ORDER BY LOWER(s.name), s.short_id"
        ),
        values,
    )
    .await?;
    whole(from, &rows).await
}

async fn total(from: &impl Read, wanted: &str, values: Vec<Value>) -> Result<u64> {
    let statement = format!("SELECT COUNT(*) AS total FROM {FROM} WHERE {wanted}");
    let found = sql::one(from, statement, values).await?;
    let total: i64 = match found {
        Some(row) => row.try_get("", "total")?,
        None => 0,
    };
    Ok(u64::try_from(total).unwrap_or(0))
}

fn wanted(scope: &Scope, filter: &SiteFilter) -> (String, Vec<Value>) {
    let mut wanted = IS_ONE.to_owned();
    let mut values = Vec::new();
    if let Some(own) = scope.ids() {
        // Numbers of ours, of which there may be more than parameters.
        let own: Vec<String> = own.iter().map(ToString::to_string).collect();
        let own = if own.is_empty() {
            "NULL".to_owned()
        } else {
            own.join(", ")
        };
        let _ = write!(wanted, " AND s.account_id IN ({own})");
    }
    if let Some(status) = filter.status {
        values.push(status.as_str().into());
        let _ = write!(wanted, " AND {STATUS} = ${}", values.len());
    }
    if let Some(text) = &filter.text {
        // SQLite folds ASCII alone: what is written just so is found all the same.
        values.push(containing(&text.to_lowercase()).into());
        let folded = values.len();
        values.push(containing(text).into());
        let plain = values.len();
        let _ = write!(
            wanted,
            " AND (LOWER(s.name) LIKE ${folded} ESCAPE '!' OR s.name LIKE ${plain} ESCAPE '!' \
             OR LOWER(COALESCE(s.url, e.url)) LIKE ${folded} ESCAPE '!')"
        );
    }
    if let Some(tag) = &filter.tag {
        values.push(tag.as_str().into());
        let at = values.len();
        let _ = write!(
            wanted,
            " AND (EXISTS (SELECT 1 FROM environment_tags t WHERE t.environment_id = e.id \
             AND t.tag = ${at}) OR (e.id IS NULL AND EXISTS (SELECT 1 FROM site_tags t \
             WHERE t.site_id = s.id AND t.tag = ${at})))"
        );
    }
    (wanted, values)
}

/// A pattern for texts that have this in them.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for char in text.chars() {
        if matches!(char, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(char);
    }
    pattern.push('%');
    pattern
}

/// Sites with their environments, in the order of the rows that name them.
async fn whole(from: &impl Read, rows: &[QueryResult]) -> Result<Vec<KnownSite>> {
    let mut named = Vec::with_capacity(rows.len());
    for row in rows {
        let status: String = row.try_get("", "status")?;
        let status = SiteStatus::parse(&status).ok_or(Error::Corrupt {
            place: "sites.status",
        })?;
        let site = SiteId::new(row.try_get("", "id")?);
        let environment: Option<i64> = row.try_get("", "environment")?;
        named.push((site, environment.map(EnvironmentId::new), status));
    }
    let mut sites = HashMap::new();
    let mut homes = HashMap::new();
    // Both databases limit the parameters of one statement.
    for some in named.chunks(500) {
        let ids: Vec<SiteId> = some.iter().map(|(id, _, _)| *id).collect();
        for row in environments::get_sites(from, &ids).await? {
            sites.insert(row.id, row);
        }
        let ids: Vec<EnvironmentId> = some.iter().filter_map(|(_, id, _)| *id).collect();
        for row in environments::get_many(from, &ids).await? {
            homes.insert(row.id, row);
        }
    }
    let whole = named.into_iter().filter_map(|(id, environment, status)| {
        Some(KnownSite {
            // Gone between the two statements: then it is no site any more.
            site: sites.remove(&id)?,
            environment: environment.and_then(|id| homes.remove(&id)),
            status,
        })
    });
    Ok(whole.collect())
}
