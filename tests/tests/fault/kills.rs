//! SIGKILL at random moments: whatever was under way ends wholly done or wholly
//! undone, and the job says which.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::chance::Chance;
use pressroom_testkit::ledger::Ledger;
use pressroom_testkit::plugin::PluginPackage;
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_testkit::{Options, eventually, place};
use pressroom_tests::fixture::{Fixture, SHORT_LEASES, install_request};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Kills in all, shared between installations and updates: 25, or 200 for
/// `./check --long`.
fn kills() -> (u32, u32) {
    if std::env::var("PRESSROOM_LONG").is_ok_and(|value| value == "1") {
        (60, 140)
    } else {
        (8, 17)
    }
}

fn options() -> Options {
    Options {
        config: SHORT_LEASES.to_owned(),
        ..Options::default()
    }
}

#[tokio::test]
async fn an_installation_killed_anywhere_is_whole_or_gone() -> Result<()> {
    let mut fixture = Fixture::start(options()).await?;
    let mut chance = Chance::new();
    let started = Instant::now();
    fixture.install("first.press.example").await?;
    let typical = started.elapsed();

    let mut undone = 0;
    for round in 0..kills().0 {
        let domain = format!("kill{round}.press.example");
        fixture.add_domain(&domain).await?;
        let before = Ledger::of(&fixture.server).await?;
        let token = fixture.fresh_token().await?;
        let started = fixture
            .server
            .api(Some(&token))?
            .post("/api/v1/wordpress/install", &install_request(&domain))
            .await?
            .expect(201)?;
        let delay = chance.up_to(typical);
        tokio::time::sleep(delay).await;
        fixture.server.restart().await?;

        let jobs = fixture.settled_jobs().await?;
        let job = named(&jobs, &started.string("job_id")?)?;
        let after = Ledger::of(&fixture.server).await?;
        let about = format!("round {round}, killed after {delay:?}: {job}");
        if job["state"] == "completed" {
            claims_one_site(&before.difference(&after)).with_context(|| about.clone())?;
            let site = fixture.site(&started.string("id")?).await?;
            site.front_page_with(&domain).await.context(about)?;
        } else {
            undone += 1;
            ensure!(job["state"] == "failed", "{about}");
            ensure!(
                job["error"]["message"]
                    .as_str()
                    .is_some_and(|message| message.contains("Interrupted")),
                "{about}"
            );
            let difference = before.difference(&after);
            ensure!(difference.is_empty(), "{about}\nleft: {difference:#?}");
            let all = fixture.installations().await?;
            ensure!(
                all.iter().all(|object| object["domain"] != domain.as_str()),
                "{about}"
            );
        }
        records_agree(&fixture).await?;
    }
    // Otherwise this test has shown nothing.
    ensure!(undone > 0, "no kill came in time to interrupt anything");
    Ok(())
}

/// Pressroom's own records claim what is there, and nothing else is there.
async fn records_agree(fixture: &Fixture) -> Result<()> {
    let checks = fixture.server.cli_json(&["doctor"]).await?;
    let records = checks
        .as_array()
        .context("a list of checks")?
        .iter()
        .find(|check| check["name"] == "records")
        .context("a check of the records")?;
    ensure!(records["status"] == "ok", "{records}");
    Ok(())
}

/// What a finished installation adds: one of each, and files.
fn claims_one_site(difference: &[String]) -> Result<()> {
    let mut kinds: Vec<&str> = difference
        .iter()
        .filter_map(|line| line.strip_prefix("+ ")?.split(' ').next())
        .filter(|kind| *kind != "path")
        .collect();
    kinds.sort_unstable();
    let mut expected = vec!["database", "database-user", "grant", "pool", "server-block"];
    if place::is_root() {
        expected.push("unix-user");
    }
    ensure!(
        kinds == expected && difference.iter().all(|line| line.starts_with("+ ")),
        "not one site more: {kinds:?}"
    );
    Ok(())
}

#[tokio::test]
async fn an_update_killed_anywhere_is_one_version_or_the_other() -> Result<()> {
    let mut fixture = Fixture::start(options()).await?;
    let mut chance = Chance::new();
    let site = fixture.install("swap.press.example").await?;
    let mut live = PluginPackage::new("sample").files(200);
    site.plant_plugin(&live, "sample")?;
    let next = live.clone().version("1.1.0");
    fixture.offer(&next)?;
    let started = Instant::now();
    fixture.update_plugin(&site, "sample").await?.expect(200)?;
    let typical = started.elapsed();
    live = next;
    let before = Ledger::of(&fixture.server).await?;

    for round in 0..kills().1 {
        let version = format!("2.{round}.0");
        let next = live.clone().version(&version);
        fixture.offer(&next)?;
        let delay = chance.up_to(typical);
        let about = format!("round {round}, killed after {delay:?}");
        kill_during_update(&mut fixture, &site, delay).await?;
        let jobs = fixture.settled_jobs().await?;
        let newest = jobs.first().context("there were jobs")?;
        let tree = site.plugin_tree("sample")?;
        let is_new = same(&tree, &next)?;
        ensure!(
            is_new || same(&tree, &live)?,
            "{about}: neither version is whole: {newest}"
        );
        if is_new {
            live = next;
        }
        said_truly(newest, &version, is_new).with_context(|| format!("{about}: {newest}"))?;
        site_is_whole(&site, &live).await.context(about.clone())?;
        let difference = before.difference(&Ledger::of(&fixture.server).await?);
        ensure!(difference.is_empty(), "{about}\nleft: {difference:#?}");
        records_agree(&fixture).await?;
    }
    // Otherwise this test has shown nothing.
    let begun = fixture
        .server
        .log()
        .matches("(component_update) begins")
        .count();
    let jobs = fixture.settled_jobs().await?.len() - 1;
    ensure!(begun > jobs, "no kill came in time to interrupt anything");
    Ok(())
}

/// Asks for an update and kills the server `delay` later, answer or not.
async fn kill_during_update(fixture: &mut Fixture, site: &Site, delay: Duration) -> Result<()> {
    let api = fixture.server.api(Some(&fixture.fresh_token().await?))?;
    let body = json!({"id": site.id, "plugin": "sample"});
    let request =
        tokio::spawn(async move { api.post("/api/v1/wordpress/plugins/update", &body).await });
    tokio::time::sleep(delay).await;
    fixture.server.restart().await?;
    // The connection is cut, or the answer was faster than the kill.
    let _ = request.await?;
    Ok(())
}

fn same(tree: &Tree, package: &PluginPackage) -> Result<bool> {
    Ok(Tree::of_package(&package.zip(), "sample")?
        .difference(tree)
        .is_empty())
}

/// If the newest job is about this round's version, it says what is on the disk. A
/// kill may also come before there is any job.
fn said_truly(job: &Value, offered: &str, is_new: bool) -> Result<()> {
    let item = &job["result"]["items"][0];
    if item["offered_version"] == offered {
        ensure!(
            (item["outcome"] == "updated") == is_new,
            "the job does not say what is live"
        );
        ensure!((job["state"] == "completed") == is_new);
    } else {
        ensure!(!is_new, "the new version is live, but no job says so");
    }
    Ok(())
}

async fn site_is_whole(site: &Site, live: &PluginPackage) -> Result<()> {
    // OPcache looks at a file again after two seconds at most.
    eventually(
        "the live version in a page",
        Duration::from_secs(10),
        || async { site.front_page_with(&live.mark()).await },
    )
    .await?;
    Ok(())
}

fn named<'a>(jobs: &'a [Value], public_id: &str) -> Result<&'a Value> {
    jobs.iter()
        .find(|job| job["public_id"] == public_id)
        .with_context(|| format!("no job `{public_id}` in {jobs:?}"))
}
