//! Lines to other machines that are cut at random moments: the site there is whole each
//! time, and the job says what became of it.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, chance::Chance, plugin::PluginPackage};
use pressroom_tests::{
    adopted::{Way, World},
    fixture::SHORT_LEASES,
    killed::rounds,
};
use std::{
    fs,
    time::{Duration, Instant},
};

/// For a server that notices soon what was lost.
pub fn options() -> Options {
    Options {
        config: SHORT_LEASES.to_owned(),
        ..Options::default()
    }
}

/// A plugin whose versions differ in every file.
pub fn package(version: u32) -> PluginPackage {
    PluginPackage::new("greeting")
        .version(&format!("1.{version}.0"))
        .files(40)
}

/// Which of two versions is there, whole; neither is an error.
pub fn whole(world: &World, versions: [u32; 2]) -> Result<u32> {
    let mut said = Vec::new();
    for version in versions {
        let differs = package(version)
            .contents()
            .into_iter()
            .find(|(path, bytes)| {
                fs::read(world.plugin("greeting").join(path)).ok().as_ref() != Some(bytes)
            });
        match differs {
            None => return Ok(version),
            Some((path, _)) => said.push(format!("not {version}: {path} differs")),
        }
    }
    anyhow::bail!(said.join("; "))
}

#[tokio::test]
async fn an_update_whose_line_is_cut_is_done_or_taken_back() -> Result<()> {
    let world = World::adopted_with(Way::Login, options()).await?;
    let site = world.site.as_str();
    world.offer(&package(0))?;
    world
        .cli(&["plugin", "install", site, "greeting", "--activate"])
        .await?;
    world.offer(&package(1))?;
    let started = Instant::now();
    world.cli(&["plugin", "update", site, "greeting"]).await?;
    let typical = started.elapsed();

    let mut chance = Chance::new();
    let mut there = 1;
    let mut cut = 0;
    for round in 0..rounds(6, 60) {
        let next = 2 + round;
        world.offer(&package(next))?;
        let delay = chance.up_to(typical);
        let words = ["plugin", "update", site, "greeting"];
        let update = world.server.cli(&words, "");
        let cutting = async {
            tokio::time::sleep(delay).await;
            world.sshd.cut();
        };
        let (done, ()) = tokio::join!(update, cutting);
        let done = done?;
        let about = format!("round {round}, cut after {delay:?}: {done:?}");
        let now = whole(&world, [there, next]).with_context(|| about.clone())?;
        if done.code == 0 {
            ensure!(now == next, "{about}");
        } else {
            cut += 1;
            ensure!(now == there, "{about}");
        }
        there = now;
        world
            .page_with("/", &package(now).mark())
            .await
            .with_context(|| about.clone())?;
        // Nothing stands in the way of the next one.
        let waited = Instant::now();
        loop {
            let done = world
                .server
                .cli(&["site", "maintenance", "off", site], "")
                .await?;
            if done.code == 0 {
                break;
            }
            ensure!(
                waited.elapsed() < Duration::from_mins(1),
                "{about}\nafterwards: {done:?}"
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    println!("{cut} were cut");
    world.is_its_owners()
}

#[tokio::test]
async fn long_work_whose_line_is_cut_leaves_a_whole_site() -> Result<()> {
    let world = World::adopted_with(Way::Login, options()).await?;
    let site = world.site.as_str();
    let dump = world.server.scratch().join("cut.sql");
    let dump = dump.to_str().context("a path")?;
    world.cli(&["site", "export", site, dump]).await?;
    let mut chance = Chance::new();
    for round in 0..rounds(1, 10) {
        let version = if round % 2 == 0 { "6.5.5" } else { "6.4.5" };
        let works: [&[&str]; 4] = [
            &["snapshot", "create", site],
            &["site", "import", site, dump, "--yes"],
            &["site", "reinstall-core", site],
            &["site", "update-core", site, "--version", version],
        ];
        for words in works {
            let delay = chance.up_to(Duration::from_secs(3));
            let cutting = async {
                tokio::time::sleep(delay).await;
                world.sshd.cut();
            };
            let (done, ()) = tokio::join!(world.server.cli(words, ""), cutting);
            let about = format!("{words:?}, cut after {delay:?}: {:?}", done?);
            world
                .page_with("/", "Lab")
                .await
                .with_context(|| about.clone())?;
            // All of WordPress is of one version, whichever that is.
            let verified = settled(&world, &["--json", "site", "verify", site]).await;
            let verified = verified.with_context(|| about.clone())?;
            ensure!(
                verified["subjects"][0]["verdict"] == "clean",
                "{about}\n{verified}"
            );
        }
    }
    world.cli(&["snapshot", "create", site]).await?;
    world.is_its_owners()
}

/// What a command says once the host lets us in again: after a cut it may rest for a
/// moment.
async fn settled(world: &World, words: &[&str]) -> Result<serde_json::Value> {
    let started = Instant::now();
    loop {
        let done = world.server.cli(words, "").await?;
        if done.code == 0 {
            return Ok(serde_json::from_str(done.stdout.trim())?);
        }
        ensure!(started.elapsed() < Duration::from_secs(30), "{done:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
