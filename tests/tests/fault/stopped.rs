//! A worker that is frozen in the middle of an update and wakes after another has
//! taken over can change nothing any more; and one that was killed is not waited for.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::plugin::PluginPackage;
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_testkit::{Database, Options, eventually, postgres};
use pressroom_tests::fixture::{Fixture, SHORT_LEASES};
use rustix::process::Signal;
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

const FILES: usize = 4000;

/// Where packages are unpacked.
fn staging(site: &Site) -> Result<PathBuf> {
    let home = site.root.parent().context("a home")?;
    Ok(home.join(".pressroom/staging"))
}

/// A site whose plugin is being updated, from the first package to the second: something is
/// staged, the old tree is still live.
async fn updating(
    fixture: &mut Fixture,
    domain: &str,
) -> Result<(Site, PluginPackage, PluginPackage, JoinHandle<Result<()>>)> {
    let site = fixture.install(domain).await?;
    let old = PluginPackage::new("sample").files(FILES);
    let new = old.clone().version("1.1.0");
    site.plant_plugin(&old, "sample")?;
    fixture.offer(&new)?;
    let api = fixture.server.api(Some(&fixture.fresh_token().await?))?;
    let body = json!({"id": site.id, "plugin": "sample"});
    let request = tokio::spawn(async move {
        api.post("/api/v1/wordpress/plugins/update", &body).await?;
        Ok(())
    });
    let staging = staging(&site)?;
    eventually("something staged", Duration::from_secs(20), || async {
        ensure!(fs::read_dir(&staging)?.next().is_some(), "nothing yet");
        Ok(())
    })
    .await?;
    Ok((site, old, new, request))
}

#[tokio::test]
async fn a_worker_that_wakes_too_late_is_refused_by_the_site() -> Result<()> {
    let mut fixture = Fixture::start(Options {
        database: Database::Postgres(postgres::database().await?),
        config: SHORT_LEASES.to_owned(),
        ..Options::default()
    })
    .await?;
    // Frozen while it unpacks.
    let (site, old, new, request) = updating(&mut fixture, "frozen.press.example").await?;
    fixture.server.signal_with_agents(Signal::STOP)?;

    let port = fixture.server.start_second().await?;
    ensure!(port != 0);
    let jobs = fixture.settled_jobs().await?;
    let job = jobs.first().context("there is the update")?;
    let by_second = site.plugin_tree("sample")?;
    let old_tree = Tree::of_package(&old.zip(), "sample")?;
    let new_tree = Tree::of_package(&new.zip(), "sample")?;
    let expected = if job["state"] == "completed" {
        &new_tree
    } else {
        &old_tree
    };
    assert_eq!(
        expected.difference(&by_second),
        Vec::<String>::new(),
        "{job}"
    );

    fixture.server.signal_with_agents(Signal::CONT)?;
    let _ = request.await?;
    // It noticed, and whatever it still tried changed nothing.
    eventually(
        "the first worker noticing",
        Duration::from_secs(30),
        || async {
            let log = fixture.server.log();
            ensure!(
                log.contains("was lost to another worker"),
                "nothing about it in the log"
            );
            Ok(())
        },
    )
    .await?;
    let again = fixture.settled_jobs().await?;
    assert_eq!(again.first().map(|job| &job["state"]), Some(&job["state"]));
    assert_eq!(
        by_second.difference(&site.plugin_tree("sample")?),
        Vec::<String>::new()
    );
    site.front_page_with(if job["state"] == "completed" {
        "<!-- sample 1.1.0 -->"
    } else {
        "<!-- sample 1.0.0 -->"
    })
    .await?;
    let staging = staging(&site)?;
    ensure!(
        !staging.exists() || fs::read_dir(&staging)?.next().is_none(),
        "something stayed staged"
    );
    Ok(())
}

/// With leases as they are by default: a minute.
#[tokio::test]
async fn a_server_that_was_killed_goes_on_as_soon_as_it_is_back() -> Result<()> {
    let mut fixture = Fixture::start(Options::default()).await?;
    let (site, _, new, request) = updating(&mut fixture, "killed.press.example").await?;
    fixture.server.kill9()?;
    let _ = request.await?;
    fixture.server.restart().await?;
    let back = Instant::now();
    let jobs = fixture.settled_jobs().await?;
    let took = back.elapsed();
    let job = jobs.first().context("there is the update")?;
    ensure!(job["state"] == "completed", "{job}");
    ensure!(took < Duration::from_secs(40), "it took {took:?}");
    let new_tree = Tree::of_package(&new.zip(), "sample")?;
    assert_eq!(
        new_tree.difference(&site.plugin_tree("sample")?),
        Vec::<String>::new()
    );
    Ok(())
}
