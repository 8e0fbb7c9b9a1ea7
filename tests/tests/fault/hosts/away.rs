//! A host that dies in the midst of an update, and comes back.

use crate::lines::{options, package, whole};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::{chance::Chance, eventually, server::Finished};
use pressroom_tests::{
    adopted::{Way, World},
    killed::rounds,
};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_mins(1);
/// A host that was away is let rest for five minutes at most, and so is the work for it.
const RESTED: Duration = Duration::from_mins(11);

/// An update of a plugin from one version to the next, whose host dies.
struct Dying {
    world: World,
    there: u32,
}

impl Dying {
    async fn prepare() -> Result<Self> {
        let world = World::adopted_with(Way::Login, options()).await?;
        world.offer(&package(0))?;
        let install = ["plugin", "install", &world.site, "greeting", "--activate"];
        world.cli(&install).await?;
        Ok(Self { world, there: 0 })
    }

    fn next(&self) -> u32 {
        self.there + 1
    }

    /// The site is whole, of the version that the answer says, and works; once the host
    /// lets us in again nothing stands in the way of other work.
    async fn is_as_told(&mut self, done: &Finished) -> Result<()> {
        let versions = [self.there, self.next()];
        let told = versions[usize::from(done.code == 0)];
        let world = &self.world;
        eventually("a whole site", SOON, || async {
            let now = whole(world, versions)?;
            ensure!(now == told, "{now} is there");
            Ok(())
        })
        .await?;
        world.page_with("/", &package(told).mark()).await?;
        let off = ["site", "maintenance", "off", &world.site];
        let other = eventually("other work", RESTED, || async { world.cli(&off).await });
        other.await?;
        ensure!(whole(world, versions)? == told, "it changed later");
        self.there = told;
        Ok(())
    }
}

/// How many files lie in a directory, at any depth.
fn files(at: &Path) -> usize {
    let entries = fs::read_dir(at).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn a_host_that_dies_in_the_midst_of_an_update_has_one_version() -> Result<()> {
    let mut dying = Dying::prepare().await?;
    let site = dying.world.site.clone();
    let words = ["plugin", "update", &site, "greeting"];
    dying.world.offer(&package(dying.next()))?;
    let started = Instant::now();
    dying.world.cli(&words).await?;
    let typical = started.elapsed();
    dying.there = dying.next();

    // For a moment, at any moment.
    let mut chance = Chance::new();
    for round in 0..rounds(1, 20) {
        dying.world.offer(&package(dying.next()))?;
        let (delay, away) = (chance.up_to(typical), chance.up_to(Duration::from_secs(3)));
        let (server, sshd) = (&dying.world.server, &mut dying.world.sshd);
        let outage = async {
            tokio::time::sleep(delay).await;
            sshd.kill();
            tokio::time::sleep(away).await;
            sshd.resume()
        };
        let (done, back) = tokio::join!(server.cli(&words, ""), outage);
        let done = done?;
        back?;
        let about = format!("round {round}, dead after {delay:?} for {away:?}: {done:?}");
        dying.is_as_told(&done).await.context(about)?;
    }

    // When the update is under way there, and for longer than it is tried again. Who asked
    // for many sites does not wait until it is taken back.
    dying.world.offer(&package(dying.next()))?;
    let beside = dying.world.owner().join(".pressroom");
    let before = files(&beside);
    let many = ["plugin", "update", "--on", "all", "greeting"];
    let update = dying.world.server.begin_cli(&many)?;
    eventually("an update under way", SOON, || async {
        let now = files(&beside);
        ensure!(now > before, "{now} files");
        Ok(())
    })
    .await?;
    dying.world.sshd.kill();
    tokio::time::sleep(Duration::from_secs(rounds(8, 180).into())).await;
    // Visitors notice nothing of it.
    dying.world.page_with("/", "<!-- greeting 1.").await?;
    dying.world.sshd.resume()?;
    let done = update.ended().await?;
    ensure!(done.code != 0, "it was given up: {done:?}");
    let about = format!("away for long: {done:?}");
    dying.is_as_told(&done).await.context(about)?;
    dying.world.cli(&words).await?;
    ensure!(whole(&dying.world, [dying.there, dying.next()])? == dying.next());
    dying.world.is_its_owners()?;

    // Where it is away from the beginning nothing was done that would have to be taken back.
    dying.world.sshd.kill();
    let tried: [&[&str]; 5] = [
        &words,
        &["plugin", "deactivate", &site, "greeting"],
        &["site", "maintenance", "on", &site],
        &["site", "update-core", &site, "--version", "6.5.5"],
        &["snapshot", "create", &site],
    ];
    for words in tried {
        let begun = Instant::now();
        let done = dying.world.server.cli(words, "").await?;
        let at_once = begun.elapsed() < Duration::from_secs(20);
        ensure!(done.code != 0 && at_once, "{words:?}: {done:?}");
        ensure!(done.stderr.contains("nothing answers at"), "{done:?}");
    }
    Ok(())
}
