//! A host whose disk is full.

use super::seen::Seen;
use crate::lines::{options, package};
use anyhow::{Context, Result, ensure};
use pressroom_tests::adopted::{Way, World};
use std::{fs, path::PathBuf};

/// What lies beside the site: agents, and whatever was not cleared away. Compiled PHP is
/// kept for the next time.
fn ours(world: &World) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![world.owner().join(".pressroom")];
    while let Some(path) = left.pop() {
        if path.ends_with(".pressroom/opcache") {
            continue;
        }
        if path.is_dir() {
            left.extend(fs::read_dir(&path)?.flatten().map(|entry| entry.path()));
        } else if path.exists() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[tokio::test]
async fn work_at_a_full_disk_changes_nothing_until_there_is_room() -> Result<()> {
    let mut world = World::prepare_with(Way::Small, options()).await?;
    no_room_for_an_agent(&world).await?;
    let adopted = world.adopt(&[]).await?;
    ensure!(adopted["state"] == "active", "{adopted}");
    let site = adopted["panel_id"].as_str().context("an id")?;
    site.clone_into(&mut world.site);

    world.offer(&package(0))?;
    let install = ["plugin", "install", site, "greeting", "--activate"];
    world.cli(&install).await?;
    world.page_with("/", &package(0).mark()).await?;
    world.offer(&package(1))?;
    let (before, beside) = (Seen::of(&world)?, ours(&world)?);

    world.login.fill_home()?;
    let works: [&[&str]; 4] = [
        &["plugin", "update", site, "greeting"],
        &["site", "update-core", site, "--version", "6.5.5"],
        &["site", "reinstall-core", site],
        // Its dump is written there before it is sent.
        &["snapshot", "create", site],
    ];
    for words in works {
        let done = world.server.cli(words, "").await?;
        ensure!(done.code != 0, "{words:?}: {done:?}");
        let said = done.stderr.to_lowercase();
        ensure!(
            said.contains("space") || said.contains("full"),
            "{words:?}: {said}"
        );
        let still = before.is_still(&world);
        still.with_context(|| format!("{words:?}"))?;
    }
    // What only looks needs no room there.
    world.cli(&["site", "verify", site]).await?;
    world.page_with("/", &package(0).mark()).await?;

    world.login.resize_home("1g")?;
    world.cli(&["plugin", "update", site, "greeting"]).await?;
    world.page_with("/", &package(1).mark()).await?;
    let after = ours(&world)?;
    ensure!(after == beside, "{beside:?} became {after:?}");
    world.is_its_owners()
}

/// PHP stands in for it, and only for as long.
async fn no_room_for_an_agent(world: &World) -> Result<()> {
    world.login.fill_home()?;
    let found = world.json(&["host", "test", "web1"]).await?;
    let survey = &found["survey"];
    let why = survey["why"].as_str().unwrap_or_default();
    ensure!(
        survey["way"] == "php" && why.contains("bytes free in that user's home"),
        "{found}"
    );
    ensure!(ours(world)?.is_empty(), "{:?}", ours(world)?);
    world.login.resize_home("1g")?;
    let found = world.json(&["host", "test", "web1"]).await?;
    ensure!(found["survey"]["way"] == "agent", "{found}");
    Ok(())
}
