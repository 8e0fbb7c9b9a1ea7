//! Which of 10,000 environments a selector names: as the server answers it, beside the
//! best plain SQL on the same database and a scan of the same facts in a vector.

mod fleet;
mod rivals;

use crate::{
    table::{Row, Table, shown},
    timing,
};
use anyhow::{Result, ensure};
use fleet::Bench;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Principal, selector::Selector};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

pub const ENVIRONMENTS: usize = 10_000;
pub const COMPONENTS: usize = 40;
const QUESTIONS: usize = 2_000;
const OF_RIVALS: usize = 40;
const MOST: Duration = Duration::from_millis(5);

/// What is asked: few hits, many, none, denied, unknown, alternatives.
const SELECTORS: [&str; 8] = [
    "plugin:woocommerce<9.4 php<8.1 env:production account:acme-7 tag:shop updates>0 snapshot>24h -status:down",
    "plugin:woocommerce<9.4",
    "-plugin:woocommerce",
    "updates>0 snapshot>24h",
    "(php:7.4 OR php<7.4 OR wp<6.2) -env:clone",
    "plugin:plug-17>=2 OR plugin:plug-23<1 OR theme:theme-3 OR tag:vip",
    "site:site-4711",
    "all",
];

pub fn measure(table: &mut Table) -> Result<()> {
    let runtime = Runtime::new()?;
    let bench = runtime.block_on(Bench::make())?;
    runtime.block_on(making(&bench, table))?;
    let facts = fleet::facts();
    for text in SELECTORS {
        runtime.block_on(asking(&bench, &facts, text, table))?;
    }
    runtime.block_on(beside_changes(&bench, table))?;
    runtime.block_on(narrowed(&bench, table))?;
    runtime.block_on(a_page(&bench, table))
}

/// The first question, which makes the picture.
async fn making(bench: &Bench, table: &mut Table) -> Result<()> {
    let before = fleet::resident()?;
    let start = Instant::now();
    let found = bench.fleet.select(&operator(), "all").await?;
    let took = start.elapsed();
    let grown = fleet::resident()?.saturating_sub(before);
    ensure!(found.ids.len() == ENVIRONMENTS, "{}", found.ids.len());
    let (_, plain) = middle_and_worst(rivals::times(3, async || bench.everything().await).await?);
    let size = bench.fleet.picture_size().await;
    table.push(Row::told(
        "the first question of a process: 10,000 environments × 40 components are read",
        shown(took),
        Some(format!("reading the same rows {}", shown(plain))),
    ));
    table.push(Row::below(
        &format!(
            "memory of what is kept (the process grew by {:.0} MB while it was read)",
            megabytes(grown)
        ),
        megabytes(size.bytes),
        "MB",
        50.0,
    ));
    Ok(())
}

/// One selector, in the service and both other ways; all three find the same.
async fn asking(
    bench: &Bench,
    facts: &[fleet::Known],
    text: &str,
    table: &mut Table,
) -> Result<()> {
    let caller = operator();
    let found = bench.fleet.select(&caller, text).await?;
    let selector: Selector = text.parse()?;
    let scanned = rivals::scan(facts, &selector, Timestamp::now());
    let by_sql = rivals::sql(bench, text).await?;
    ensure!(found.ids.len() == scanned, "{text}: {scanned} by a scan");
    ensure!(found.ids.len() == by_sql, "{text}: {by_sql} by SQL");
    let ask = async || {
        bench.fleet.select(&caller, text).await?;
        Ok(())
    };
    let (middle, worst) = middle_and_worst(rivals::times(QUESTIONS, ask).await?);
    let sql = rivals::times(OF_RIVALS, async || rivals::sql(bench, text).await.map(drop));
    let (sql, _) = middle_and_worst(sql.await?);
    let mut scans = Vec::new();
    for _ in 0..OF_RIVALS {
        scans.push(timing::once(|| {
            std::hint::black_box(rivals::scan(facts, &selector, Timestamp::now()));
            Ok(())
        })?);
    }
    let (scan, _) = middle_and_worst(scans);
    table.push(budgeted(
        &format!("`{text}`, {} found", found.ids.len()),
        middle,
        worst,
        Some(format!(
            "plain SQL {}, a vector {}",
            shown(sql),
            shown(scan)
        )),
        Some(sql.as_secs_f64() / middle.as_secs_f64()),
    ));
    Ok(())
}

/// Each question directly after a change that it must see.
async fn beside_changes(bench: &Bench, table: &mut Table) -> Result<()> {
    let caller = operator();
    let mut all = Vec::new();
    for number in 0..300 {
        let version = bench.update_a_plugin(number).await?;
        let text = format!("plugin:plug-0={version}");
        let start = Instant::now();
        let found = bench.fleet.select(&caller, &text).await?;
        all.push(start.elapsed());
        ensure!(found.ids.len() == 1, "{text}: {} found", found.ids.len());
    }
    let (middle, worst) = middle_and_worst(all);
    let what = "a question directly after a site changed";
    table.push(budgeted(what, middle, worst, None, None));
    Ok(())
}

/// Somebody of 20 of the 200 accounts.
async fn narrowed(bench: &Bench, table: &mut Table) -> Result<()> {
    let caller = Bench::member(20);
    let ask = async || {
        let found = bench.fleet.select(&caller, "plugin:woocommerce").await?;
        ensure!(
            !found.ids.is_empty() && found.ids.len() < ENVIRONMENTS / 10,
            "the scope"
        );
        Ok(())
    };
    let (middle, worst) = middle_and_worst(rivals::times(QUESTIONS, ask).await?);
    let what = "`plugin:woocommerce` by a member of 20 of 200 accounts";
    table.push(budgeted(what, middle, worst, None, None));
    Ok(())
}

/// What a face shows: the first 50 of those found, with all their components.
async fn a_page(bench: &Bench, table: &mut Table) -> Result<()> {
    let caller = operator();
    let ask = async || {
        let page = bench
            .fleet
            .select_page(&caller, SELECTORS[1], 0, 50)
            .await?;
        ensure!(page.environments.len() == 50, "a page");
        Ok(())
    };
    let (middle, worst) = middle_and_worst(rivals::times(300, ask).await?);
    table.push(Row::told(
        "the first 50 sites found, with their 2,000 components as views",
        format!("p50 {}, p99 {}", shown(middle), shown(worst)),
        None,
    ));
    Ok(())
}

fn operator() -> Caller {
    Caller::new(Principal::console())
}

fn budgeted(
    what: &str,
    middle: Duration,
    worst: Duration,
    other: Option<String>,
    ratio: Option<f64>,
) -> Row {
    Row {
        what: what.to_owned(),
        ours: format!("p50 {}, p99 {}", shown(middle), shown(worst)),
        other,
        ratio,
        budget: "p99 < 5 ms".to_owned(),
        reached: Some(worst < MOST),
    }
}

/// The median, and what one of a hundred exceeds.
fn middle_and_worst(mut all: Vec<Duration>) -> (Duration, Duration) {
    all.sort_unstable();
    let at = |part: usize| all.get(all.len() * part / 100).copied();
    (at(50).unwrap_or_default(), at(99).unwrap_or_default())
}

#[expect(clippy::cast_precision_loss, reason = "megabytes, for people")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1_048_576.0
}
