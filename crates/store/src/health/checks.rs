//! The looks themselves.

use crate::{Error, Lookup, Page, Read, Result, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{EnvironmentId, HealthCheckId, ShortId, SiteId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Set,
};
use std::{collections::BTreeMap, time::Duration};

/// Rows removed by one statement.
const BATCH: i64 = 2000;

names! {
    /// What a look at a site found.
    CheckStatus {
        /// All is well, as far as it was looked at.
        Passed = "passed",
        /// It works, and something should be looked after.
        Warning = "warning",
        /// It does not work.
        Failed = "failed",
    }
}

names! {
    /// Why somebody looked.
    CheckKind {
        /// It was time.
        Scheduled = "scheduled",
        /// Somebody asked.
        Manual = "manual",
        /// An update is about to begin.
        PreUpgrade = "pre_upgrade",
        /// An update was made.
        PostUpgrade = "post_upgrade",
        /// One of several updates was made.
        Canary = "canary",
        /// An update was taken back.
        PostRollback = "post_rollback",
    }
}

table! {
    /// A look at a site.
    HealthCheckRow = check("health_checks") {
        /// The row.
        id: HealthCheckId,
        /// The site.
        site_id: SiteId,
        /// What programs call it; unique.
        public_id: ShortId,
        /// The environment, where the site is more than an address.
        environment_id: Option<EnvironmentId>,
        /// What was found.
        status: CheckStatus,
        /// Why somebody looked.
        kind: CheckKind,
        /// What the front page answered with.
        http_status: Option<i64>,
        /// How long that took.
        response_ms: Option<i64>,
        /// How long until it began.
        ttfb_ms: Option<i64>,
        /// The rest of what was found, see [`details`].
        detail_id: i64,
        /// What is wrong, in a sentence.
        error: Option<String>,
        /// The update it was made for.
        pipeline_id: Option<String>,
        /// Whether it is kept when all others of its hour are removed.
        keep: bool,
        /// When.
        at: Timestamp,
    }
}

/// A look to record.
#[derive(Debug, Clone)]
pub struct NewHealthCheck {
    /// The site.
    pub site_id: SiteId,
    /// The environment, where the site is more than an address.
    pub environment_id: Option<EnvironmentId>,
    /// What was found.
    pub status: CheckStatus,
    /// Why somebody looked.
    pub kind: CheckKind,
    /// What the front page answered with.
    pub http_status: Option<u16>,
    /// How long that took.
    pub response_ms: Option<u64>,
    /// How long until it began.
    pub ttfb_ms: Option<u64>,
    /// See [`put_detail`].
    pub detail_id: i64,
    /// What is wrong, in a sentence.
    pub error: Option<String>,
    /// The update it was made for.
    pub pipeline_id: Option<String>,
    /// Whether it is kept when all others of its hour are removed.
    pub keep: bool,
}

/// Which looks are asked for.
#[derive(Debug, Clone, Default)]
pub struct HealthFilter {
    /// With this result.
    pub status: Option<CheckStatus>,
    /// For this reason.
    pub kind: Option<CheckKind>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Up to this instant.
    pub to: Option<Timestamp>,
}

/// Records a look.
pub async fn insert(tx: &Tx, new: NewHealthCheck) -> Result<HealthCheckRow> {
    let number = |value: Option<u64>| value.map(|it| i64::try_from(it).unwrap_or(i64::MAX));
    let model = check::ActiveModel {
        site_id: Set(new.site_id.get()),
        public_id: Set(ShortId::random().raw()),
        environment_id: Set(new.environment_id.raw()),
        status: Set(new.status.raw()),
        kind: Set(new.kind.raw()),
        http_status: Set(new.http_status.map(i64::from)),
        response_ms: Set(number(new.response_ms)),
        ttfb_ms: Set(number(new.ttfb_ms)),
        detail_id: Set(new.detail_id),
        error: Set(new.error),
        pipeline_id: Set(new.pipeline_id),
        keep: Set(new.keep),
        at: Set(tx.now().await?.millis()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("health check"))?;
    HealthCheckRow::read(model)
}

/// Keeps what was found beyond the row's own columns, a JSON text. Where it is what the
/// look before found as well (`last`), that one's is used again.
pub async fn put_detail(tx: &Tx, site: SiteId, last: Option<i64>, checks: &str) -> Result<i64> {
    let now = tx.now().await?.millis();
    if let Some(last) = last {
        let same = sql::one(
            tx,
            "SELECT 1 AS same FROM health_details WHERE id = $1 AND checks = $2",
            [last.into(), checks.into()],
        );
        if same.await?.is_some() {
            return Ok(last);
        }
        sql::run(
            tx,
            "UPDATE health_details SET replaced_at = $1 WHERE id = $2",
            [now.into(), last.into()],
        )
        .await?;
    }
    let row = sql::one(
        tx,
        "INSERT INTO health_details (site_id, checks, at) VALUES ($1, $2, $3) RETURNING id",
        [site.get().into(), checks.into(), now.into()],
    );
    let row = row.await?.ok_or(Error::Corrupt {
        place: "health_details.id",
    })?;
    Ok(row.try_get("", "id")?)
}

/// What was found in looks, by their `detail_id`, as it was put.
pub async fn details(from: &impl Read, ids: &[i64]) -> Result<BTreeMap<i64, String>> {
    let mut found = BTreeMap::new();
    for ids in ids.chunks(200) {
        let marks: Vec<_> = (1..=ids.len()).map(|at| format!("${at}")).collect();
        let sql = format!(
            "SELECT id, checks FROM health_details WHERE id IN ({})",
            marks.join(", ")
        );
        for row in sql::all(from, sql, ids.iter().map(|id| (*id).into())).await? {
            found.insert(row.try_get("", "id")?, row.try_get("", "checks")?);
        }
    }
    Ok(found)
}

/// The looks at a site, newest first, and how many that are in all.
pub async fn list(
    from: &impl Read,
    site: SiteId,
    filter: &HealthFilter,
    page: Page,
) -> Result<(Vec<HealthCheckRow>, u64)> {
    let query = filtered(site, filter);
    let total = query.clone().count(from.connection()).await?;
    let found = query
        .order_by_desc(check::Column::At)
        .order_by_desc(check::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    let rows: Result<_> = found.into_iter().map(HealthCheckRow::read).collect();
    Ok((rows?, total))
}

/// The look that programs call so; one at another site is foreign.
pub async fn by_public_id(
    from: &impl Read,
    site: Option<SiteId>,
    id: &ShortId,
) -> Result<Lookup<HealthCheckRow>> {
    let found = check::Entity::find()
        .filter(check::Column::PublicId.eq(id.as_str()))
        .one(from.connection())
        .await?;
    Ok(match found.map(HealthCheckRow::read).transpose()? {
        None => Lookup::Missing,
        Some(row) if site.is_none_or(|site| site == row.site_id) => Lookup::Found(row),
        Some(_) => Lookup::Foreign,
    })
}

fn filtered(site: SiteId, filter: &HealthFilter) -> Select<check::Entity> {
    let mut query = check::Entity::find().filter(check::Column::SiteId.eq(site.get()));
    if let Some(status) = filter.status {
        query = query.filter(check::Column::Status.eq(status.as_str()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(check::Column::Kind.eq(kind.as_str()));
    }
    if let Some(from) = filter.from {
        query = query.filter(check::Column::At.gte(from.millis()));
    }
    if let Some(to) = filter.to {
        query = query.filter(check::Column::At.lte(to.millis()));
    }
    query
}

/// Removes one batch of looks: those that are not to be kept after `full`, all after
/// `last`, and what only they had found. Says whether there may be more.
pub async fn sweep(tx: &Tx, full: Duration, last: Duration) -> Result<bool> {
    let now = tx.now().await?;
    let mut more = false;
    for (which, before) in [
        ("NOT keep AND at", now.minus(full)),
        ("keep AND at", now.minus(last)),
    ] {
        let gone = sql::run(
            tx,
            format!(
                "DELETE FROM health_checks WHERE id IN \
                 (SELECT id FROM health_checks WHERE {which} < $1 ORDER BY at LIMIT {BATCH})"
            ),
            [before.millis().into()],
        );
        more |= gone.await? >= BATCH.unsigned_abs();
    }
    let gone = sql::run(
        tx,
        format!(
            "DELETE FROM health_details WHERE id IN \
             (SELECT id FROM health_details WHERE replaced_at < $1 ORDER BY replaced_at LIMIT {BATCH})"
        ),
        [now.minus(last).millis().into()],
    );
    more |= gone.await? >= BATCH.unsigned_abs();
    sql::run(
        tx,
        "DELETE FROM health_incidents WHERE closed_at < $1",
        [now.minus(last).millis().into()],
    )
    .await?;
    Ok(more)
}
