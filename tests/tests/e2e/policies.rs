//! Updates that begin by themselves, as policies permit, at real sites.

use anyhow::{Context, Result, bail, ensure};
use pressroom_testkit::{
    Options, eventually,
    plugin::{Behaviour, PluginPackage},
    site::Site,
};
use pressroom_tests::{client::Client, fixture::Fixture};
use serde_json::Value;
use std::time::Duration;

/// How long a whole pipeline with pictures may take here.
const PATIENCE: Duration = Duration::from_mins(6);

async fn cli(fixture: &Fixture, words: &[&str]) -> Result<String> {
    let done = fixture.server.cli(words, "").await?;
    ensure!(done.code == 0, "{words:?}: {done:?}");
    Ok(done.stdout)
}

/// A site with these plugins of version 1.0.0, active.
async fn site_with(fixture: &Fixture, domain: &str, slugs: &[&str]) -> Result<Site> {
    let site = fixture.install(domain).await?;
    for slug in slugs {
        fixture.offer(&PluginPackage::new(slug))?;
        cli(
            fixture,
            &["plugin", "install", &site.id, slug, "--activate"],
        )
        .await?;
    }
    Ok(site)
}

fn offer(fixture: &Fixture, slug: &str, version: &str) -> Result<()> {
    let package = PluginPackage::new(slug).version(version);
    fixture.offer(&package.behaviour(Behaviour::Good))
}

async fn pipelines(fixture: &Fixture, more: &[&str]) -> Result<Vec<Value>> {
    let mut words = vec!["--json", "pipeline", "list"];
    words.extend(more);
    let found: Value = serde_json::from_str(&cli(fixture, &words).await?)?;
    found.as_array().cloned().context("a list")
}

/// What a person is shown of a pipeline, its findings too.
async fn shown(fixture: &Fixture, pipeline: &Value) -> Result<String> {
    let id = pipeline["id"].as_str().context("an id")?;
    cli(fixture, &["pipeline", "show", &format!("pipe_{id}")]).await
}

/// The value of the lock that keeps WordPress from updating itself.
fn lock(site: &Site) -> Result<String> {
    site.php(
        "define('SHORTINIT', true); require 'wp-load.php'; echo $wpdb->get_var(\
         \"SELECT option_value FROM $wpdb->options WHERE option_name = 'auto_updater.lock'\");",
    )
}

#[tokio::test]
async fn what_is_permitted_goes_in_by_itself_and_nothing_else() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let slugs = ["good", "kept", "big"];
    let site = site_with(&fixture, "on.example", &slugs).await?;
    site.php("require 'wp-load.php'; update_option('timezone_string', 'Australia/Lord_Howe');")?;
    for (slug, version) in [("good", "1.1.0"), ("kept", "1.1.0"), ("big", "2.0.0")] {
        offer(&fixture, slug, version)?;
    }
    let before = [site.plugin_tree("kept")?, site.plugin_tree("big")?];
    let set = [
        "policy",
        "set",
        "all",
        "--automatic",
        "on",
        "--minor-only",
        "on",
        "--exclude",
        "plugin:kep*",
        "--window",
        "00:00-24:00",
        "--auto-approve",
        "on",
    ];
    let told = cli(&fixture, &set).await?;
    ensure!(told.contains("exclusions\tplugin:kep*\tthe site"), "{told}");

    let mut held = false;
    let over = eventually("the update went in by itself", PATIENCE, || {
        let locked = lock(&site).is_ok_and(|value| value.contains('.'));
        held |= locked;
        let fixture = &fixture;
        async move {
            let all = pipelines(fixture, &[]).await?;
            ensure!(all.len() == 1, "{} pipelines", all.len());
            let over = ["awaiting_approval", "completed"].map(Value::from);
            ensure!(over.contains(&all[0]["status"]), "{}", all[0]);
            Ok(all[0].clone())
        }
    })
    .await?;
    if over["status"] != "completed" {
        bail!("somebody is asked: {}", shown(&fixture, &over).await?);
    }
    ensure!(held, "WordPress' own updater was held off meanwhile");
    assert_eq!(lock(&site)?, "", "it is let be afterwards");
    let targets = over["targets"].as_array().context("targets")?;
    assert_eq!(targets.len(), 1, "{over}");
    assert_eq!(targets[0]["slug"], "good", "{over}");
    assert_eq!(targets[0]["to_version"], "1.1.0", "{over}");
    assert_eq!(over["note"], "begun by the update policy", "{over}");
    site.front_page_with("<!-- good 1.1.0 -->").await?;
    let after = [site.plugin_tree("kept")?, site.plugin_tree("big")?];
    for (before, after) in before.iter().zip(&after) {
        let difference = before.difference(after);
        ensure!(difference.is_empty(), "{difference:?}");
    }
    // The site's own clocks are the window's.
    let shown = cli(&fixture, &["policy", "show", "all"]).await?;
    ensure!(shown.contains("the site's: Australia/Lord_Howe"), "{shown}");
    // Whoever asks for it is told, and gets it.
    let seen = cli(&fixture, &["update", "all", "--dry-run"]).await?;
    let line = seen.lines().find(|line| line.contains("plugin kept"));
    ensure!(line.is_some_and(|line| line.contains("excludes")), "{seen}");
    let log = Client::of(&fixture.server).await?;
    let log = log.get("/activity_logs?event=update_policy.set").await?;
    assert_eq!(log.as_array().map(Vec::len), Some(1), "{log}");
    Ok(())
}

#[tokio::test]
async fn what_is_held_waits_and_is_begun_once() -> Result<()> {
    let without_pictures = Options {
        config: "[updates]\npictures = \"off\"\n".to_owned(),
        ..Options::default()
    };
    let fixture = Fixture::start(without_pictures).await?;
    let held = site_with(&fixture, "held.example", &["good"]).await?;
    let free = site_with(&fixture, "free.example", &["good"]).await?;
    offer(&fixture, "good", "1.1.0")?;
    let (held_by, free_by) = ("domain:held.example", "domain:free.example");
    let set = [
        "policy",
        "set",
        held_by,
        "--automatic",
        "on",
        "--hold-days",
        "1",
    ];
    cli(&fixture, &set).await?;
    cli(&fixture, &["policy", "set", free_by, "--automatic", "on"]).await?;

    // Whose release is old enough is tried, and asked for: nobody said that nobody has to be.
    let only = eventually("the one is tried", PATIENCE, || async {
        let waits = pipelines(&fixture, &[]).await?;
        ensure!(waits.len() == 1, "{} pipelines", waits.len());
        ensure!(waits[0]["status"] == "awaiting_approval", "{}", waits[0]);
        Ok(waits[0].clone())
    })
    .await?;
    let url = only["url"].as_str().context("an address")?;
    ensure!(url.contains("free.example"), "{only}");
    assert_eq!(lock(&free)?, "", "nothing of ours is there meanwhile");

    // What came to nothing is not begun again by itself.
    let id = format!("pipe_{}", only["id"].as_str().context("an id")?);
    cli(&fixture, &["pipeline", "cancel", &id]).await?;

    // The hold alone was in its way.
    cli(&fixture, &["policy", "set", held_by, "--hold-days", "0"]).await?;
    let second = eventually("the other is tried", PATIENCE, || async {
        let open = pipelines(&fixture, &["--open"]).await?;
        ensure!(open.len() == 1, "{} are open", open.len());
        ensure!(open[0]["status"] == "awaiting_approval", "{}", open[0]);
        Ok(open[0].clone())
    })
    .await?;
    let url = second["url"].as_str().context("an address")?;
    ensure!(url.contains("held.example"), "{second}");
    assert_eq!(pipelines(&fixture, &[]).await?.len(), 2);
    held.front_page_with("<!-- good 1.0.0 -->").await?;
    free.front_page_with("<!-- good 1.0.0 -->").await?;
    Ok(())
}
