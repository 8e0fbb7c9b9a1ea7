//! A host that shows another key between two operations.

use super::seen::Seen;
use crate::lines::package;
use anyhow::{Context, Result, ensure};
use pressroom_tests::adopted::{Way, World};

async fn known_key(world: &World) -> Result<String> {
    let hosts = world.json(&["host", "list"]).await?;
    let key = hosts[0]["host_key"].as_str().context("a fingerprint")?;
    Ok(key.to_owned())
}

#[tokio::test]
async fn a_host_with_another_key_is_sent_nothing_until_somebody_accepts_it() -> Result<()> {
    let mut world = World::adopted(Way::Login).await?;
    let site = world.site.clone();
    let site = site.as_str();
    world.offer(&package(0))?;
    let install = ["plugin", "install", site, "greeting", "--activate"];
    world.cli(&install).await?;
    world.offer(&package(1))?;
    let old = known_key(&world).await?;
    let before = Seen::of(&world)?;

    world.sshd.kill();
    world.sshd.renew_host_key()?;
    world.sshd.resume()?;
    let mut told = Vec::new();
    let refused: [&[&str]; 8] = [
        &["plugin", "update", site, "greeting"],
        &["cache", "flush", site],
        &["site", "maintenance", "on", site],
        &["snapshot", "create", site],
        &["site", "search-replace", site, "Hello", "Bye"],
        &["host", "test", "web1"],
        // They tell of many: of this one, the same.
        &["run", "--on", "all", "--", "true"],
        &["doctor"],
    ];
    for words in refused {
        let done = world.server.cli(words, "").await?;
        ensure!([1, 5].contains(&done.code), "{words:?}: {done:?}");
        let said = done.stdout + &done.stderr;
        for needed in [
            "HAS CHANGED",
            &old,
            "Nothing was sent",
            "`pressroom host forget-key web1`",
        ] {
            ensure!(said.contains(needed), "{words:?}: no {needed} in {said}");
        }
        let (_, shown) = said.split_once("is now ").context("the new fingerprint")?;
        told.push(shown.split_once(". ").context("its end")?.0.to_owned());
    }
    before.is_still(&world)?;
    ensure!(world.sshd.logins() == 0, "somebody logged in");
    let hosts = world.json(&["host", "list"]).await?;
    ensure!(hosts[0]["status"] == "key_changed", "{hosts}");
    ensure!(known_key(&world).await? == old, "it was learned unasked");

    // On somebody's word it is the new one, and the same one that was told.
    world.cli(&["host", "forget-key", "web1"]).await?;
    world.cli(&["plugin", "update", site, "greeting"]).await?;
    world.page_with("/", &package(1).mark()).await?;
    let new = known_key(&world).await?;
    ensure!(new != old && told.iter().all(|key| *key == new), "{told:?}");
    Ok(())
}
