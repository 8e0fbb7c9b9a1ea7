//! The same question, asked in other ways.

use super::fleet::{Bench, Known};
use anyhow::{Context, Result};
use pressroom_base::Timestamp;
use pressroom_fleet::selector::Selector;
use pressroom_phpdata::version;
use sqlx::Row as _;
use std::{
    cmp::Ordering,
    collections::HashSet,
    time::{Duration, Instant},
};

/// How long each of so many took, one after the other.
pub async fn times(
    count: usize,
    mut ask: impl AsyncFnMut() -> Result<()>,
) -> Result<Vec<Duration>> {
    ask().await?;
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        ask().await?;
        all.push(start.elapsed());
    }
    Ok(all)
}

/// How many of a vector of facts a selector holds for.
pub fn scan(facts: &[Known], selector: &Selector, now: Timestamp) -> usize {
    let holds = |known: &&Known| selector.matches(known, now).is_yes();
    facts.iter().filter(holds).count()
}

/// A plugin or theme at a version, as SQL: everything but the version's order.
struct Wanted {
    sql: &'static str,
    holds: fn(&str) -> bool,
}

const SNAPSHOT: &str = "NOT EXISTS (SELECT 1 FROM snapshots s WHERE s.environment_id = e.id \
     AND s.state = 'ready' AND s.contents = 'full' AND s.fault IS NULL AND s.created_at >= ";
const UPDATES: &str = "EXISTS (SELECT 1 FROM components c WHERE c.environment_id = e.id \
     AND c.new_version IS NOT NULL)";
const WOO: &str = "c.kind = 'plugin' AND c.place = 'normal' AND c.slug = 'woocommerce'";

/// How many plain SQL finds. What SQL can say is said in it; versions are read for those
/// that are left and compared here, because no database knows PHP's order.
pub async fn sql(bench: &Bench, text: &str) -> Result<usize> {
    let day = Timestamp::now().millis() - 24 * 60 * 60 * 1000;
    let below = |version: &str, than: &str| version::compare(version, than) == Ordering::Less;
    match text.split(' ').next().unwrap_or_default() {
        "plugin:woocommerce<9.4" if text.contains("php<8.1") => {
            let sql = format!(
                "SELECT e.id, c.version, e.php_version FROM environments e \
                 JOIN accounts a ON a.id = e.account_id \
                 JOIN environment_tags t ON t.environment_id = e.id AND t.tag = 'shop' \
                 JOIN components c ON c.environment_id = e.id AND {WOO} \
                 WHERE e.kind = 'production' AND a.name_folded = 'acme-7' \
                 AND e.state NOT IN ('failed', 'broken') AND {UPDATES} AND {SNAPSHOT} {day})"
            );
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&bench.pool).await?;
            let found = rows.iter().filter(|row| {
                let php: &str = row.get(2);
                !php.is_empty() && below(php, "8.1") && below(row.get(1), "9.4")
            });
            Ok(found.count())
        }
        "plugin:woocommerce<9.4" => {
            let sql = format!("SELECT c.environment_id, c.version FROM environments e JOIN components c ON c.environment_id = e.id AND {WOO} WHERE e.state <> 'failed'");
            at_versions(bench, &sql, |version| below(version, "9.4")).await
        }
        "-plugin:woocommerce" => {
            counted(bench, &format!("SELECT COUNT(*) FROM environments e WHERE e.state <> 'failed' AND e.inspected_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM components c WHERE c.environment_id = e.id AND {WOO})")).await
        }
        "updates>0" => {
            counted(bench, &format!("SELECT COUNT(*) FROM environments e WHERE e.state <> 'failed' AND {UPDATES} AND {SNAPSHOT} {day})")).await
        }
        "(php:7.4" => {
            let sql = "SELECT e.php_version, e.core_version FROM environments e \
                       WHERE e.state <> 'failed' AND e.kind <> 'clone'";
            let rows = sqlx::query(sql).fetch_all(&bench.pool).await?;
            let found = rows.iter().filter(|row| {
                let (php, core): (&str, &str) = (row.get(0), row.get(1));
                let series = php == "7.4" || php.starts_with("7.4.");
                series || (!php.is_empty() && below(php, "7.4")) || (!core.is_empty() && below(core, "6.2"))
            });
            Ok(found.count())
        }
        "plugin:plug-17>=2" => alternatives(bench).await,
        "site:site-4711" => {
            counted(bench, "SELECT COUNT(*) FROM environments e JOIN sites s ON s.id = e.site_id WHERE e.state <> 'failed' AND (s.name = 'site-4711' OR e.panel_id = 'site-4711')").await
        }
        _ => counted(bench, "SELECT COUNT(*) FROM environments e WHERE e.state <> 'failed'").await,
    }
}

async fn alternatives(bench: &Bench) -> Result<usize> {
    let mut found: HashSet<i64> = HashSet::new();
    let of = "SELECT c.environment_id, c.version FROM environments e \
              JOIN components c ON c.environment_id = e.id AND c.kind = 'plugin' \
              AND c.place = 'normal' AND c.slug = ";
    for wanted in [
        Wanted {
            sql: "'plug-17'",
            holds: |version| version::compare(version, "2") != Ordering::Less,
        },
        Wanted {
            sql: "'plug-23'",
            holds: |version| version::compare(version, "1") == Ordering::Less,
        },
    ] {
        let sql = format!("{of}{}", wanted.sql);
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&bench.pool)
            .await?;
        let rows = rows.iter().filter(|row| (wanted.holds)(row.get(1)));
        found.extend(rows.map(|row| row.get::<i64, _>(0)));
    }
    for sql in [
        "SELECT environment_id FROM components WHERE kind = 'theme' AND slug = 'theme-3'",
        "SELECT environment_id FROM environment_tags WHERE tag = 'vip'",
    ] {
        let rows = sqlx::query(sql).fetch_all(&bench.pool).await?;
        found.extend(rows.iter().map(|row| row.get::<i64, _>(0)));
    }
    Ok(found.len())
}

async fn at_versions(bench: &Bench, sql: &str, holds: impl Fn(&str) -> bool) -> Result<usize> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_all(&bench.pool)
        .await?;
    Ok(rows.iter().filter(|row| holds(row.get(1))).count())
}

async fn counted(bench: &Bench, sql: &str) -> Result<usize> {
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .fetch_one(&bench.pool)
        .await?;
    usize::try_from(row.get::<i64, _>(0)).context("a count")
}
