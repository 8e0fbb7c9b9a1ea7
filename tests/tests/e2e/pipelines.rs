//! Safe updates of real sites, over the WPOrchestrix API and the command line.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options, eventually,
    plugin::{Behaviour, PluginPackage, zip_of},
    site::Site,
};
use pressroom_tests::{client::Client, fixture::Fixture, left, poller::Poller};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a whole pipeline may take here.
const PATIENCE: Duration = Duration::from_mins(4);

/// No pictures: they are looked at in a test of their own.
fn without_pictures() -> Options {
    Options {
        config: "[updates]\npictures = \"off\"\n".to_owned(),
        ..Options::default()
    }
}

/// A site with these plugins of version 1.0.0, active.
async fn site_with(fixture: &Fixture, domain: &str, slugs: &[&str]) -> Result<Site> {
    let site = fixture.install(domain).await?;
    for slug in slugs {
        fixture.offer(&PluginPackage::new(slug))?;
    }
    let mut words = vec!["plugin", "install", &site.id, "--activate"];
    words.extend(slugs);
    let done = fixture.server.cli(&words, "").await?;
    ensure!(done.code == 0, "{done:?}");
    Ok(site)
}

fn offer(fixture: &Fixture, slug: &str, behaviour: Behaviour) -> Result<()> {
    let package = PluginPackage::new(slug).version("1.1.0");
    fixture.offer(&package.behaviour(behaviour))
}

/// The path of the site's pipelines.
pub async fn place(client: &Client) -> Result<String> {
    let sites = client.get("/sites").await?;
    let id = sites[0]["id"].as_str().context("a site")?;
    Ok(format!("/sites/{id}/upgrade_pipelines"))
}

/// The pipeline once it is so.
pub async fn is(client: &Client, path: &str, status: &str) -> Result<Value> {
    let over = ["completed", "failed", "rolled_back", "cancelled"];
    eventually(format!("{path} is {status}"), PATIENCE, || async {
        let found = client.get(path).await?;
        let now = found["status"].as_str().unwrap_or_default();
        if over.contains(&now) && now != status {
            // It stays so: waiting is of no use.
            return Ok(found);
        }
        ensure!(now == status, "{found}");
        Ok(found)
    })
    .await
}

pub fn target<'p>(pipeline: &'p Value, slug: &str) -> Result<&'p Value> {
    let targets = pipeline["targets"].as_array().context("targets")?;
    let found = targets.iter().find(|target| target["slug"] == slug);
    found.with_context(|| format!("{slug} is not among {targets:?}"))
}

fn stage<'p>(pipeline: &'p Value, name: &str) -> Result<&'p Value> {
    let stages = pipeline["stages"].as_array().context("stages")?;
    let found = stages.iter().find(|stage| stage["name"] == name);
    found.with_context(|| format!("no {name} among {stages:?}"))
}

/// Nothing of a clone, of staged trees or of kept tables is at the site. What is over is
/// recorded before it is cleared away.
pub async fn nothing_left(site: &Site) -> Result<()> {
    let soon = Duration::from_secs(20);
    eventually("everything is cleared away", soon, || async {
        left::nothing_left(site)
    })
    .await
}

async fn names(client: &Client, event: &str) -> Result<usize> {
    let log = client.get(&format!("/activity_logs?event={event}")).await?;
    Ok(log.as_array().context("a log")?.len())
}

// Rows: W18, W19, W20, W21
#[tokio::test]
async fn the_good_one_stays_and_the_bad_one_goes() -> Result<()> {
    let fixture = Fixture::start(without_pictures()).await?;
    let site = site_with(&fixture, "safe.press.example", &["good", "bad"]).await?;
    let client = Client::of(&fixture.server).await?;
    let place = place(&client).await?;

    // Nothing is on offer.
    let all = json!({ "all": true });
    let nothing = client.send(Method::POST, &place, Some(&all)).await?;
    let nothing = nothing.expect(422)?;
    assert_eq!(nothing.body["error"], "No updates available");

    let before = site.plugin_tree("bad")?;
    offer(&fixture, "good", Behaviour::Good)?;
    offer(&fixture, "bad", Behaviour::FatalEverywhere)?;
    let asked = json!({ "all": true, "note": "the first" });
    let made = client.make(&place, &asked).await?;
    assert_eq!(made["status"], "pending");
    let here = format!("{place}/{}", made["id"].as_str().context("an id")?);
    let again = client.send(Method::POST, &place, Some(&asked)).await?;
    let again = again.expect(422)?;
    assert_eq!(
        again.body["error"],
        "Site already has an active upgrade pipeline"
    );

    let waits = is(&client, &here, "awaiting_approval").await?;
    assert_eq!(waits["status"], "awaiting_approval", "{waits}");
    assert_eq!(stage(&waits, "preflight")?["status"], "passed");
    assert_eq!(stage(&waits, "snapshot")?["status"], "passed");
    assert_eq!(stage(&waits, "rehearsal")?["status"], "passed", "{waits}");
    // The clone has shown that one of them is bad, and which.
    let bad = target(&waits, "bad")?;
    assert_eq!(bad["status"], "failed", "{waits}");
    assert_eq!(target(&waits, "good")?["status"], "pending");
    let findings = waits["findings"].as_array().context("findings")?;
    ensure!(
        findings
            .iter()
            .any(|found| found["target"] == "plugin bad" && found["severity"] == "blocking"),
        "{findings:?}"
    );
    nothing_left(&site).await?;
    assert_eq!(target(&waits, "good")?["from_version"], "1.0.0");
    assert_eq!(target(&waits, "good")?["to_version"], "1.1.0");
    let snapshot = waits["snapshot_id"].as_str().context("a snapshot")?;
    let site_of = place.trim_end_matches("/upgrade_pipelines");
    let kept = client
        .get(&format!("{site_of}/snapshots/{snapshot}"))
        .await?;
    assert_eq!(kept["pipeline_id"], made["id"], "{kept}");
    ensure!(waits["baseline_health_check_id"].is_string(), "{waits}");
    // Nothing was changed yet.
    site.front_page_with("<!-- good 1.0.0 -->").await?;

    let approve = format!("{here}/approve");
    let said = json!({ "note": "go on" });
    let first = client.send(Method::POST, &approve, Some(&said)).await?;
    let first = first.expect(200)?;
    assert_eq!(first.body["approval"]["state"], "approved");
    assert_eq!(first.body["approval"]["note"], "go on");
    let second = client.send(Method::POST, &approve, Some(&said)).await?;
    let second = second.expect(422)?;
    assert_eq!(second.body["error"], "Pipeline is not awaiting approval");

    let over = is(&client, &here, "completed").await?;
    assert_eq!(over["status"], "completed", "{over}");
    assert_eq!(target(&over, "good")?["status"], "updated");
    ensure!(target(&over, "bad")?["error"].is_string(), "{over}");
    ensure!(over["final_health_check_id"].is_string(), "{over}");
    let difference = before.difference(&site.plugin_tree("bad")?);
    ensure!(difference.is_empty(), "{difference:?}");
    site.front_page_with("<!-- good 1.1.0 -->").await?;
    ensure!(!site.root.join(".maintenance").exists());
    nothing_left(&site).await?;
    for (event, times) in [
        ("upgrade.started", 1),
        ("upgrade.completed", 1),
        ("upgrade_pipeline.approved", 1),
    ] {
        assert_eq!(names(&client, event).await?, times, "{event}");
    }

    let list = client.get(&format!("{place}?status=completed")).await?;
    assert_eq!(list[0]["id"], over["id"]);
    ensure!(list[0]["stages"][0].get("detail").is_none(), "{list}");
    Ok(())
}

/// The id of the pipeline that is not over.
async fn open(fixture: &Fixture) -> Result<String> {
    let words = ["--json", "pipeline", "list", "--open"];
    let open: Value = serde_json::from_str(&fixture.server.cli(&words, "").await?.stdout)?;
    Ok(format!("pipe_{}", open[0]["id"].as_str().context("an id")?))
}

#[tokio::test]
async fn by_the_command_line() -> Result<()> {
    let fixture = Fixture::start(without_pictures()).await?;
    let site = site_with(&fixture, "line.press.example", &["good"]).await?;
    let server = &fixture.server;
    offer(&fixture, "good", Behaviour::Good)?;

    let seen = server.cli(&["update", "all", "--dry-run"], "").await?;
    ensure!(seen.code == 0, "{seen:?}");
    ensure!(
        seen.stdout.contains("plugin good\t1.0.0\t1.1.0"),
        "{seen:?}"
    );
    let waits = server.cli(&["update", "all"], "").await?;
    ensure!(waits.code == 7, "{waits:?}");
    ensure!(waits.stdout.contains("awaiting_approval"), "{waits:?}");
    let id = open(&fixture).await?;
    site.front_page_with("<!-- good 1.0.0 -->").await?;

    let visitor = Poller::start(site.clone());
    let done = server.cli(&["pipeline", "approve", &id], "").await?;
    ensure!(done.code == 0, "{done:?}");
    // Visitors met nothing but pages and the announced maintenance, and not for long.
    let met = visitor.stop().await?;
    eprintln!(
        "of {} visits {} met the maintenance, for {:?} in all",
        met.visits, met.turned_away, met.whole
    );
    ensure!(met.longest < Duration::from_secs(20), "{met:?}");
    ensure!(done.stdout.contains("plugin good updated"), "{done:?}");
    site.front_page_with("<!-- good 1.1.0 -->").await?;
    let shown = server.cli(&["pipeline", "show", &id], "").await?;
    ensure!(shown.stdout.contains("is completed"), "{shown:?}");
    let late = server.cli(&["pipeline", "cancel", &id], "").await?;
    ensure!(late.code == 5, "{late:?}");

    // Nothing is left to do: that is no failure.
    let none = server.cli(&["update", "all", "--approve"], "").await?;
    ensure!(none.code == 0, "{none:?}");
    ensure!(none.stdout.contains("no updates available"), "{none:?}");
    Ok(())
}

/// Fine in a clone, and fatal at the site alone.
fn only_live(slug: &str) -> Vec<u8> {
    let main = format!(
        "<?php\n/*\nPlugin Name: {slug}\nVersion: 1.1.0\n*/\n\
         add_action('admin_init', function () {{ update_option('{slug}_was', '1.1.0'); }});\n\
         update_option('{slug}_new', str_repeat('x', 5));\n\
         if (false === strpos(__DIR__, '.pressroom')) {{ update_option('blogname', 'Spoiled'); \
         if (!defined('WP_CLI') && PHP_SAPI !== 'cli') {{ nobody_has_this(); }} }}\n"
    );
    zip_of(&[(&format!("{slug}/{slug}.php"), &main)])
}

#[tokio::test]
async fn what_only_breaks_the_site_is_taken_back_with_its_tables() -> Result<()> {
    let fixture = Fixture::start(without_pictures()).await?;
    let site = site_with(&fixture, "back.press.example", &["good", "sly"]).await?;
    let client = Client::of(&fixture.server).await?;
    let place = place(&client).await?;
    let option = |name: &str| {
        site.php(&format!(
            "define('SHORTINIT', true); require 'wp-load.php'; echo $wpdb->get_var(\
             \"SELECT option_value FROM $wpdb->options WHERE option_name = '{name}'\");"
        ))
    };
    let title = option("blogname")?;
    let before = site.plugin_tree("sly")?;
    offer(&fixture, "good", Behaviour::Good)?;
    fixture.offer_zip("sly.1.1.0.zip", &only_live("sly"))?;

    let asked = json!({ "all": true, "requires_approval": false });
    let made = client.make(&place, &asked).await?;
    let here = format!("{place}/{}", made["id"].as_str().context("an id")?);
    // No pictures were compared: somebody is asked all the same.
    let waits = is(&client, &here, "awaiting_approval").await?;
    assert_eq!(waits["status"], "awaiting_approval", "{waits}");
    assert_eq!(target(&waits, "sly")?["status"], "pending", "{waits}");
    assert_eq!(option("blogname")?, title, "the clone is not the site");
    let approve = format!("{here}/approve");
    let yes = client.send(Method::POST, &approve, None).await?;
    yes.expect(200)?;

    let over = is(&client, &here, "completed").await?;
    assert_eq!(over["status"], "completed", "{over}");
    assert_eq!(target(&over, "good")?["status"], "updated", "{over}");
    assert_eq!(target(&over, "sly")?["status"], "rolled_back", "{over}");
    let difference = before.difference(&site.plugin_tree("sly")?);
    ensure!(difference.is_empty(), "{difference:?}");
    assert_eq!(option("blogname")?, title, "what it wrote is taken back");
    assert_eq!(option("sly_new")?, "", "what it added is gone");
    site.front_page_with("<!-- good 1.1.0 -->").await?;
    nothing_left(&site).await?;
    for event in ["upgrade.failed", "upgrade.completed"] {
        assert_eq!(names(&client, event).await?, 1, "{event}");
    }
    Ok(())
}

// Each is put in by itself and looked at by itself: what one of them does is no other's.
#[tokio::test]
async fn of_twenty_with_one_bad_nineteen_stay() -> Result<()> {
    let fixture = Fixture::start(without_pictures()).await?;
    let slugs: Vec<String> = (1..=20).map(|nth| format!("twentieth-{nth}")).collect();
    let slugs: Vec<&str> = slugs.iter().map(String::as_str).collect();
    let site = site_with(&fixture, "twenty.press.example", &slugs).await?;
    let bad = slugs[11];
    let before = site.plugin_tree(bad)?;
    for slug in &slugs {
        if *slug == bad {
            fixture.offer_zip(&format!("{bad}.1.1.0.zip"), &only_live(bad))?;
        } else {
            offer(&fixture, slug, Behaviour::Good)?;
        }
    }

    let server = &fixture.server;
    let waits = server.cli(&["update", "all"], "").await?;
    ensure!(waits.code == 7, "{waits:?}");
    let id = open(&fixture).await?;
    let done = server.cli(&["pipeline", "approve", &id], "").await?;
    ensure!(done.code != 0, "one of them failed: {done:?}");
    for slug in &slugs {
        let ended = if *slug == bad {
            "rolled_back"
        } else {
            "updated"
        };
        let said = format!("plugin {slug} {ended}");
        ensure!(done.stdout.contains(&said), "no `{said}`: {done:?}");
    }
    let page = site.get("/").await?;
    assert_eq!(page.status, 200, "{}", page.body);
    for slug in slugs.iter().filter(|slug| **slug != bad) {
        let mark = format!("<!-- {slug} 1.1.0 -->");
        ensure!(page.body.contains(&mark), "no {mark}");
    }
    let difference = before.difference(&site.plugin_tree(bad)?);
    ensure!(difference.is_empty(), "{difference:?}");
    nothing_left(&site).await
}
