//! SIGKILL at random moments of safe updates: each target is wholly updated or as it was, what
//! is recorded is true, and nothing of the work stays at the site.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options,
    chance::Chance,
    eventually,
    plugin::{Behaviour, PluginPackage},
    site::Site,
    tree::Tree,
};
use pressroom_tests::{
    client::Client,
    fixture::{Fixture, SHORT_LEASES},
    killed::rounds,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{fs, time::Duration};

const DOMAIN: &str = "killed.press.example";
/// How long a pipeline may take that was interrupted.
const PATIENCE: Duration = Duration::from_mins(3);
/// Both parts of a pipeline take less here, however slow the machine.
const LONGEST: Duration = Duration::from_secs(25);

/// The pipeline once nothing more happens by itself.
async fn at_rest(client: &Client, path: &str) -> Result<Value> {
    let rest = [
        "awaiting_approval",
        "completed",
        "failed",
        "rolled_back",
        "cancelled",
    ];
    eventually(format!("{path} comes to rest"), PATIENCE, || async {
        let found = client.get(path).await?;
        let status = found["status"].as_str().context("a status")?;
        ensure!(rest.contains(&status), "{found}");
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

/// Nothing of the work is at the site any more.
fn nothing_left(site: &Site) -> Result<()> {
    ensure!(!site.root.join(".maintenance").exists(), "in maintenance");
    let home = site.root.parent().context("a home")?;
    for directory in ["staging", "journal", "rehearsal"] {
        let left = home.join(".pressroom").join(directory);
        if left.is_dir() {
            let names: Vec<_> = fs::read_dir(&left)?
                .flatten()
                .map(|entry| entry.file_name())
                .collect();
            ensure!(names.is_empty(), "left in {}: {names:?}", left.display());
        }
    }
    let tables = site.php(
        "define('SHORTINIT', true); require 'wp-load.php'; \
         echo implode(' ', $wpdb->get_col('SHOW TABLES'));",
    )?;
    let mut foreign = tables.split(' ').filter(|it| !it.starts_with("wp_"));
    match foreign.next() {
        None => Ok(()),
        Some(table) => anyhow::bail!("table `{table}` is left"),
    }
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
    for slug in ["good", "bad"] {
        fixture.offer(&PluginPackage::new(slug))?;
        let words = ["plugin", "install", &site.id, slug, "--activate"];
        ensure!(fixture.server.cli(&words, "").await?.code == 0);
    }
    let bad = site.plugin_tree("bad")?;
    let client = Client::of(&fixture.server).await?;
    let sites = client.get("/sites").await?;
    let id = sites[0]["id"].as_str().context("a site")?;
    let place = format!("/sites/{id}/upgrade_pipelines");
    let mut chance = Chance::new();
    let mut live = PluginPackage::new("good");

    for round in 0..rounds(3, 500) {
        let next = PluginPackage::new("good").version(&format!("1.1.{round}"));
        fixture.offer(&next)?;
        let worse = PluginPackage::new("bad").version(&format!("1.1.{round}"));
        fixture.offer(&worse.behaviour(Behaviour::FatalInTheFooter))?;
        let made = client.make(&place, &json!({ "all": true })).await?;
        let here = format!("{place}/{}", made["id"].as_str().context("an id")?);
        // One kill in each of the two parts.
        let mut over = Value::Null;
        for part in ["prepare", "apply"] {
            let delay = chance.up_to(LONGEST);
            tokio::time::sleep(delay).await;
            fixture.server.restart().await?;
            over = at_rest(&client, &here).await?;
            let about = format!("round {round}, {part} killed after {delay:?}: {over}");
            site.front_page_with("<!-- good ").await.context(about)?;
            if over["status"] != "awaiting_approval" {
                break;
            }
            let approve = format!("{here}/approve");
            let said = client.send(Method::POST, &approve, None).await?;
            said.expect(200)?;
        }
        if over["status"] == "awaiting_approval" {
            over = at_rest(&client, &here).await?;
        }
        fixture.settled_jobs().await?;
        let about = format!("round {round}: {over}");
        eventually("everything is cleared away", PATIENCE, || async {
            nothing_left(&site).context(about.clone())
        })
        .await?;
        // What is recorded is what is there.
        let expected = match status(&over, "good")?.as_str() {
            "updated" => {
                live = next.clone();
                &next
            }
            "rolled_back" | "failed" | "skipped" => &live,
            other => anyhow::bail!("{other}: {about}"),
        };
        let tree = Tree::of_package(&expected.zip(), "good")?;
        let difference = tree.difference(&site.plugin_tree("good")?);
        ensure!(difference.is_empty(), "{about}\n{difference:?}");
        site.front_page_with(&expected.mark())
            .await
            .context(about.clone())?;
        let difference = bad.difference(&site.plugin_tree("bad")?);
        ensure!(difference.is_empty(), "{about}\n{difference:?}");
        ensure!(status(&over, "bad")? != "updated", "{about}");
    }
    Ok(())
}
