//! A host whose clock is an hour off.

use crate::lines::package;
use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_tests::{
    adopted::{Way, World},
    fixture::SHORT_LEASES,
    killed::rounds,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

/// What shifts the clock of a program: Debian's `libfaketime`.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

const HOUR: i64 = 3600;

/// Our own clock is shifted; to us it is the host's that is off.
fn options(by: &str) -> Result<Options> {
    ensure!(Path::new(LIBRARY).exists(), "no {LIBRARY}");
    let shifted = [
        ("LD_PRELOAD", LIBRARY),
        ("FAKETIME", by),
        // Only the time of day is wrong there.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    Ok(Options {
        config: SHORT_LEASES.to_owned(),
        env: shifted
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..Options::default()
    })
}

#[tokio::test]
async fn a_host_an_hour_off_is_worked_on_as_any_other() -> Result<()> {
    for by in ["+1h", "-1h"].iter().take(rounds(1, 2) as usize) {
        works(by).await.with_context(|| format!("we are at {by}"))?;
    }
    Ok(())
}

async fn works(by: &str) -> Result<()> {
    let world = World::adopted_with(Way::Login, options(by)?).await?;
    let site = world.site.as_str();
    world.offer(&package(0))?;
    let install = ["plugin", "install", site, "greeting", "--activate"];
    world.cli(&install).await?;
    world.offer(&package(1))?;
    world.cli(&["plugin", "update", site, "greeting"]).await?;
    world.page_with("/", &package(1).mark()).await?;
    maintenance_lapses_by_the_hosts_clock(&world).await?;
    a_login_lasts_by_the_hosts_clock(&world).await?;
    // Time limits are of what passed, not of what a clock shows.
    let run = ["run", "--on", "all", "--timeout", "20s"];
    let run = [&run[..], &["--", "sh", "-c", "sleep 1; date +%s"]].concat();
    let ran = world.cli(&run).await?;
    let (_, shown) = ran.stdout.trim().rsplit_once(' ').context("a time")?;
    ensure!((there()? - shown.parse::<i64>()?).abs() < 60, "{shown}");
    ages_are_ours(&world, if by == "+1h" { HOUR } else { -HOUR }).await
}

/// Seconds since the epoch, by the clock of this machine: the host's.
fn there() -> Result<i64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_secs())?)
}

async fn maintenance_lapses_by_the_hosts_clock(world: &World) -> Result<()> {
    let site = world.site.as_str();
    world.cli(&["site", "maintenance", "on", site]).await?;
    let page = "Briefly unavailable for scheduled maintenance";
    world.page_with("/", page).await?;
    // WordPress takes it for ten minutes from then on.
    let file = fs::metadata(world.hosted.root.join(".maintenance"))?;
    let until = file.modified()? + Duration::from_mins(10);
    let left = until.duration_since(SystemTime::now());
    let left = left.context("it has lapsed already")?;
    ensure!(left <= Duration::from_mins(10), "{left:?}");
    world.cli(&["site", "maintenance", "off", site]).await?;
    world.page_with("/", "Lab").await
}

async fn a_login_lasts_by_the_hosts_clock(world: &World) -> Result<()> {
    let reply = world
        .server
        .api(Some(&world.token))?
        .post("/api/v1/wordpress/auto-login", &json!({"id": world.site}))
        .await?
        .expect(200)?;
    let rows = world.hosted.database.sql(
        "SELECT option_value FROM wp_options WHERE option_name LIKE '_transient_pressroom_login_%'",
    )?;
    let row: Value = serde_json::from_str(rows.trim())?;
    let left = row["expires"].as_i64().context("its end")? - there()?;
    ensure!((1..=900).contains(&left), "{left} s are left there");
    let link = ["login_url", "url", "auto_login_url"]
        .iter()
        .find_map(|name| reply.body[name].as_str())
        .with_context(|| reply.text.clone())?;
    let path = link.trim_start_matches(&world.hosted.url);
    let url = format!("http://{}{path}", world.hosted.addr);
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let host = world.hosted.url.trim_start_matches("http://").to_owned();
    let let_in = client.get(url).header("host", host).send().await?;
    ensure!(let_in.status() == 302, "{let_in:?}");
    Ok(())
}

/// What is on record has our times, which are `ahead` of the host's.
async fn ages_are_ours(world: &World, ahead: i64) -> Result<()> {
    let site = world.site.as_str();
    world.cli(&["snapshot", "create", site]).await?;
    let snapshots = world.json(&["snapshot", "list", site]).await?;
    let name = snapshots[0]["id"].as_str().context("a snapshot")?;
    world.cli(&["snapshot", "verify", name]).await?;
    let jobs = world.json(&["job", "list"]).await?;
    for (what, at) in [
        ("snapshot", &snapshots[0]["created_at"]),
        ("job", &jobs[0]["created_at"]),
        ("job's end", &jobs[0]["finished_at"]),
    ] {
        let at = at.as_i64().with_context(|| format!("{what}: {at}"))? / 1000;
        let age = there()? + ahead - at;
        ensure!((-1..120).contains(&age), "the {what} is {age} s old");
    }
    Ok(())
}
