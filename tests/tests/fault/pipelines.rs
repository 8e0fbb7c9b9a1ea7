//! SIGKILL at named and at random moments of safe updates, over and over within one: each target
//! is wholly updated or as it was, what is recorded is true, and nothing of the work stays at
//! the site.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options,
    chance::Chance,
    eventually,
    plugin::{PluginPackage, zip_of},
    site::Site,
    tree::Tree,
};
use pressroom_tests::{
    client::Client,
    fixture::{Fixture, SHORT_LEASES},
    killed::rounds,
    left::nothing_left,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DOMAIN: &str = "killed.press.example";
/// How long a pipeline may take that was interrupted.
const PATIENCE: Duration = Duration::from_mins(3);
/// A random moment comes within so much of the last one, and a named one is followed by a kill
/// within so much.
const LONGEST: Duration = Duration::from_millis(2500);
const SOON: Duration = Duration::from_millis(600);
/// Kills of one pipeline before and after the yes: what is killed again and again is given up.
const MOST_BEFORE: usize = 1;
const MOST_AFTER: usize = 6;
/// What a pipeline or one of its targets is when it is killed there.
const BEFORE: [&str; 3] = ["preflight", "snapshotting", "rehearsing"];
const AFTER: [&str; 4] = ["upgrading", "verifying", "updating", "updated"];

/// It goes on from these only if somebody says so.
const REST: [&str; 5] = [
    "awaiting_approval",
    "completed",
    "failed",
    "rolled_back",
    "cancelled",
];

/// The pipeline once nothing more happens by itself.
async fn at_rest(client: &Client, path: &str) -> Result<Value> {
    eventually(format!("{path} comes to rest"), PATIENCE, || async {
        let found = client.get(path).await?;
        let status = found["status"].as_str().context("a status")?;
        ensure!(REST.contains(&status), "{found}");
        Ok(found)
    })
    .await
}

fn status(pipeline: &Value, slug: &str) -> Result<String> {
    let targets = pipeline["targets"].as_array().context("targets")?;
    let found = targets.iter().find(|target| target["slug"] == slug);
    let status = found.and_then(|target| target["status"].as_str());
    Ok(status.context("a target")?.to_owned())
}

/// States of the pipeline and of its targets, at this moment.
fn states(pipeline: &Value) -> Vec<&str> {
    let targets = pipeline["targets"].as_array();
    let targets = targets.into_iter().flatten();
    [pipeline]
        .into_iter()
        .chain(targets)
        .filter_map(|it| it["status"].as_str())
        .collect()
}

/// Waits for one of these, and a little longer; or for any moment. Says what it waited for.
async fn moment(
    client: &Client,
    path: &str,
    chance: &mut Chance,
    named: &[&'static str],
) -> Result<String> {
    let delay = chance.up_to(LONGEST);
    if chance.below(3) == 0 {
        tokio::time::sleep(delay).await;
        return Ok(format!("killed after {delay:?}"));
    }
    let (name, delay) = (chance.one(named), chance.up_to(SOON));
    let start = Instant::now();
    // It may never be so any more: then it is any moment.
    while start.elapsed() < LONGEST * 2 {
        let found = client.get(path).await?;
        let now = states(&found);
        if now.contains(&name) || REST.contains(&now[0]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    tokio::time::sleep(delay).await;
    Ok(format!("killed {delay:?} after `{name}`"))
}

/// Fine in a clone, and dead at the site: it is taken back.
fn only_live(version: &str) -> Vec<u8> {
    let main = format!(
        "<?php\n/*\nPlugin Name: Sly\nVersion: {version}\n*/\n\
         add_action('admin_init', function () {{ update_option('sly_is', '{version}'); }});\n\
         if (PHP_SAPI === 'fpm-fcgi') {{ nobody_has_this(); }}\n"
    );
    zip_of(&[("sly/sly.php", &main)])
}

/// The site is what the records say.
async fn is_true(site: &Site, over: &Value, good: [&PluginPackage; 2], sly: &Tree) -> Result<()> {
    let [then, now] = good;
    let expected = match status(over, "good")?.as_str() {
        "updated" => now,
        "rolled_back" | "failed" | "skipped" => then,
        other => anyhow::bail!("good is {other}"),
    };
    let tree = Tree::of_package(&expected.zip(), "good")?;
    let difference = tree.difference(&site.plugin_tree("good")?);
    ensure!(difference.is_empty(), "{difference:?}");
    site.front_page_with(&expected.mark()).await?;
    ensure!(status(over, "sly")? != "updated");
    let difference = sly.difference(&site.plugin_tree("sly")?);
    ensure!(difference.is_empty(), "{difference:?}");
    let option = site.php(
        "define('SHORTINIT', true); require 'wp-load.php'; echo $wpdb->get_var(\
         \"SELECT option_value FROM $wpdb->options WHERE option_name = 'sly_is'\");",
    )?;
    ensure!(option == "old", "the option is `{option}`");
    Ok(())
}

#[tokio::test]
async fn a_safe_update_killed_anywhere_is_true() -> Result<()> {
    let config = format!("{SHORT_LEASES}\n[updates]\npictures = \"off\"\n");
    let options = Options {
        config,
        ..Options::default()
    };
    let mut fixture = Fixture::start(options).await?;
    let site = fixture.install(DOMAIN).await?;
    for slug in ["good", "sly"] {
        fixture.offer(&PluginPackage::new(slug))?;
        let words = ["plugin", "install", &site.id, slug, "--activate"];
        ensure!(fixture.server.cli(&words, "").await?.code == 0);
    }
    site.php("require 'wp-load.php'; update_option('sly_is', 'old');")?;
    let sly = site.plugin_tree("sly")?;
    let client = Client::of(&fixture.server).await?;
    let sites = client.get("/sites").await?;
    let id = sites[0]["id"].as_str().context("a site")?;
    let place = format!("/sites/{id}/upgrade_pipelines");
    let mut chance = Chance::new();
    let mut live = PluginPackage::new("good");
    let (mut kills, mut round) = (0, 0);
    let wanted = rounds(25, 500);
    let start = Instant::now();

    while kills < wanted {
        round += 1;
        let next = PluginPackage::new("good").version(&format!("1.1.{round}"));
        fixture.offer(&next)?;
        let version = format!("1.1.{round}");
        fixture.offer_zip(&format!("sly.{version}.zip"), &only_live(&version))?;
        let made = client.make(&place, &json!({ "all": true })).await?;
        let here = format!("{place}/{}", made["id"].as_str().context("an id")?);
        let mut about = vec![format!("round {round}")];
        for (named, most) in [(&BEFORE[..], MOST_BEFORE), (&AFTER[..], MOST_AFTER)] {
            for _ in 0..=chance.below(most) {
                about.push(moment(&client, &here, &mut chance, named).await?);
                fixture.server.restart().await?;
                kills += 1;
                if REST.contains(&states(&client.get(&here).await?)[0]) {
                    break;
                }
            }
            let over = at_rest(&client, &here).await.context(about.join(", "))?;
            site.front_page_with("<!-- good ")
                .await
                .with_context(|| format!("{}: {over}", about.join(", ")))?;
            if over["status"] != "awaiting_approval" {
                break;
            }
            let approve = format!("{here}/approve");
            let said = client.send(Method::POST, &approve, None).await?;
            said.expect(200)?;
        }
        if round % 10 == 0 {
            eprintln!("{kills} kills in {round} updates so far");
        }
        let over = at_rest(&client, &here).await?;
        fixture.settled_jobs().await?;
        let about = format!("{}: {over}", about.join(", "));
        eventually("everything is cleared away", PATIENCE, || async {
            nothing_left(&site).context(about.clone())
        })
        .await?;
        is_true(&site, &over, [&live, &next], &sly)
            .await
            .context(about)?;
        if status(&over, "good")? == "updated" {
            live = next;
        }
    }
    eprintln!(
        "{kills} kills in {round} updates, {:.1} s each",
        start.elapsed().as_secs_f64() / f64::from(kills)
    );
    Ok(())
}
