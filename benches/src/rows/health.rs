//! Looking at many sites: how many in a second, and what is left of it on the disk.

use crate::table::{Row, Table};
use anyhow::{Context, Result};
use axum::{Router, response::Html, routing::get};
use pressroom_base::keyring::Keyring;
use pressroom_fleet::{Fleet, Parts, health::Pace};
use pressroom_store::{
    EnvironmentKind, EnvironmentState, NewAccount, NewEnvironment, Store, accounts, environments,
};
use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

const SITES: usize = 1000;
/// Looks at each.
const ROUNDS: u32 = 12;
const AT_ONCE: usize = 64;
/// What a fleet of 10,000 sites needs every five minutes.
const NEEDED: f64 = 10_000.0 / 300.0;
const A_DAY: f64 = 10_000.0 * 288.0;

pub fn measure(table: &mut Table) -> Result<()> {
    Runtime::new()?.block_on(looks(table))
}

async fn looks(table: &mut Table) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("pressroom.db");
    let keyring = Keyring::parse(Keyring::generate().expose())?;
    let store = Store::open(&format!("sqlite://{}", file.display()), keyring).await?;
    let addr = page().await?;
    seed(&store, addr).await?;
    let fleet = Fleet::new(Parts::below(dir.path(), store.clone())?);
    // The first looks write what all later ones share.
    all(&fleet, &store).await?;
    let before = size(&file)?;
    let start = Instant::now();
    let mut made = 0;
    for _ in 0..ROUNDS {
        made += all(&fleet, &store).await?;
    }
    let took = start.elapsed();
    let grown = size(&file)?.saturating_sub(before);
    let raw = requests(addr, made * 2).await?;
    let rate = per_second(made, took);
    table.push(Row {
        what: format!("looks at sites, {AT_ONCE} at once, SQLite"),
        ours: format!("{rate:.0}/s"),
        other: Some(format!(
            "their requests alone {:.0}/s",
            per_second(made, raw)
        )),
        ratio: Some(raw.as_secs_f64() / took.as_secs_f64()),
        budget: format!("> {NEEDED:.0}/s"),
        reached: Some(rate > NEEDED),
    });
    #[expect(clippy::cast_precision_loss, reason = "bytes, for people")]
    let bytes = grown as f64 / made as f64;
    table.push(Row::told(
        "storage of a look that passed, with its share of the indexes",
        format!("{bytes:.0} bytes"),
        None,
    ));
    table.push(Row::told(
        "the same of 10,000 sites every five minutes, for a day",
        format!("{:.0} MB", bytes * A_DAY / 1_000_000.0),
        None,
    ));
    Ok(())
}

/// Looks at every site once.
async fn all(fleet: &Fleet, store: &Store) -> Result<usize> {
    store.advance_clock(Duration::from_mins(6));
    let made = fleet.check_due_sites(&Pace::new(AT_ONCE, AT_ONCE)).await?;
    anyhow::ensure!(made == SITES, "{made} of {SITES} sites were looked at");
    Ok(made)
}

#[expect(clippy::cast_precision_loss, reason = "there are never so many")]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// The database; its log is written over again and again, and is no growth.
fn size(file: &Path) -> Result<u64> {
    Ok(std::fs::metadata(file)?.len())
}

/// The same requests, without anything around them.
async fn requests(addr: SocketAddr, count: usize) -> Result<Duration> {
    let client = reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()?;
    let url = format!("http://{addr}/");
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..count {
        if running.len() == AT_ONCE * 2 {
            running.join_next().await.context("one of them")???;
        }
        let asked = client.get(&url).send();
        running.spawn(async move { anyhow::Ok(asked.await?.bytes().await?) });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(start.elapsed())
}

/// A page as large as a small site's.
async fn page() -> Result<SocketAddr> {
    let body = format!("<title>Site</title>{}</html>", "<p>Words.</p>".repeat(2000));
    let router = Router::new().fallback(get(move || {
        let body = body.clone();
        async move { Html(body) }
    }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(addr)
}

async fn seed(store: &Store, addr: SocketAddr) -> Result<()> {
    let tx = store.begin().await?;
    let new = NewAccount {
        name: "Bench".into(),
        prefix: None,
        capabilities: Vec::new(),
    };
    let account = accounts::create(&tx, new).await?.id;
    for number in 0..SITES {
        let site = environments::create_site(&tx, account, &format!("s-{number}"), "Bench").await?;
        let new = NewEnvironment {
            site_id: site.id,
            account_id: account,
            domain_id: None,
            host_id: None,
            kind: EnvironmentKind::Production,
            panel_id: format!("wp_{number:09x}"),
            root: format!("/srv/site-{number}/public_html"),
            path: "public_html".into(),
            url: format!("http://{addr}/{number}"),
            origin_addr: Some(addr.to_string()),
            origin_host: Some(addr.to_string()),
            unix_user: None,
            state: EnvironmentState::Active,
            db_name: format!("db_{number}"),
            db_user: format!("u_{number}"),
            db_host: "localhost".into(),
            db_password: None,
            table_prefix: "wp_".into(),
            core_version: "6.5.5".into(),
            locale: "en_US".into(),
            title: format!("Site {number}"),
        };
        environments::create(&tx, new).await?;
    }
    tx.commit().await?;
    Ok(())
}
