//! Sites that were there before Pressroom, on this machine and on hosts: every operation
//! is the same, however the site is reached.

mod commands;
mod operations;

use anyhow::{Result, ensure};
use operations::{every_operation, some_operations};
use pressroom_tests::adopted::{DOMAIN, Way, World};
use std::fs;

#[tokio::test]
async fn on_this_machine() -> Result<()> {
    every_operation(&World::adopted(Way::Local).await?).await
}

#[tokio::test]
async fn over_ssh_as_its_owner_on_another_network() -> Result<()> {
    let world = World::adopted(Way::Login).await?;
    every_operation(&world).await?;
    // The way there is one connection; what was brought goes with the host.
    ensure!(world.owner().join(".pressroom").is_dir());
    let host = world.cli(&["host", "remove", "web1"]).await;
    ensure!(host.is_err(), "a host with a site was forgotten");
    world.cli(&["site", "release", &world.site]).await?;
    world.cli(&["host", "remove", "web1"]).await?;
    let agents = fs::read_dir(world.owner().join(".pressroom"))?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("agent"))
        .count();
    ensure!(agents == 0, "{agents} agents are left");
    let page = world.page("/").await?;
    ensure!(page.contains("Lab"), "a released site goes on: {page}");
    Ok(())
}

#[tokio::test]
async fn over_ssh_through_a_login_that_talks() -> Result<()> {
    let world = World::adopted(Way::Noisy).await?;
    some_operations(&world).await
}

#[tokio::test]
async fn over_ssh_by_sudo() -> Result<()> {
    let world = World::adopted(Way::Sudo).await?;
    some_operations(&world).await
}

#[tokio::test]
async fn over_ssh_by_root() -> Result<()> {
    let world = World::adopted(Way::Root).await?;
    some_operations(&world).await?;
    // Of root's own nothing was used.
    ensure!(!std::path::Path::new("/root/.pressroom").exists());
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_adopted_is_refused_and_leaves_nothing() -> Result<()> {
    let world = World::prepare(Way::Login).await?;
    let home = world.owner().display().to_string();
    let root = world.hosted.root.display().to_string();
    let adopt = async |path: &str, more: &[&str], code: i32| {
        let words = [&["site", "adopt", path, "--host", "web1"], more].concat();
        let done = world.server.cli(&words, "").await?;
        ensure!(done.code == code, "{words:?}: {done:?}");
        anyhow::Ok(done.stderr)
    };
    world.login.write("empty/index.html", "nothing")?;
    world
        .login
        .write("bare/wp-includes/version.php", "<?php $wp_version = '6.5';")?;
    world.login.write("bare/wp-load.php", "<?php")?;
    let said = adopt(&format!("{home}/empty"), &[], 2).await?;
    ensure!(said.contains("there is no WordPress"), "{said}");
    let said = adopt(&format!("{home}/bare"), &[], 2).await?;
    ensure!(said.contains("not configured"), "{said}");
    let said = adopt(&format!("{home}/nowhere"), &[], 3).await?;
    ensure!(said.contains("--user"), "{said}");
    adopt("/etc/ssh", &[], 2).await?;
    adopt("relative", &[], 2).await?;
    adopt(&format!("{home}/../../etc"), &[], 2).await?;
    adopt(&root, &["--url", "ftp://shop.example"], 2).await?;
    adopt(&root, &["--url", "https://another.example"], 5).await?;
    adopt(&root, &["--origin", "nonsense"], 2).await?;
    adopt(&root, &["--account", "nobody"], 3).await?;
    adopt(&root, &["--user", "nobody"], 1).await?;
    let sites = world.server.cli_json(&["site", "list"]).await?;
    ensure!(sites == serde_json::json!([]), "{sites}");

    // Twice is once.
    let first = world.adopt(&[]).await?;
    let again = world.adopt(&[]).await?;
    ensure!(
        first["is_new"] == true && again["is_new"] == false,
        "{first} {again}"
    );
    ensure!(first["panel_id"] == again["panel_id"], "{first} {again}");
    ensure!(first["url"] == world.hosted.url.as_str(), "{first}");
    ensure!(first["domain"] == DOMAIN, "{first}");
    Ok(())
}

#[tokio::test]
async fn all_sites_of_a_host_are_adopted_in_one_step() -> Result<()> {
    let world = World::prepare(Way::Login).await?;
    world
        .login
        .write("bare/wp-includes/version.php", "<?php $wp_version = '6.5';")?;
    world.login.write("bare/wp-load.php", "<?php")?;
    world
        .login
        .write("bad/wp-includes/version.php", "<?php $wp_version = '6.4';")?;
    world.login.write("bad/wp-load.php", "<?php")?;
    world
        .login
        .write("bad/wp-config.php", "<?php $table_prefix = 'wp_';")?;
    let done = world
        .server
        .cli(&["--json", "host", "discover", "web1", "--adopt"], "")
        .await?;
    ensure!(done.code == 1, "one has no database: {done:?}");
    let tried: Vec<serde_json::Value> = done
        .stdout
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let tried = match tried.as_slice() {
        [serde_json::Value::Array(tried)] => tried.clone(),
        _ => tried,
    };
    ensure!(tried.len() == 2, "{tried:?}");
    let sites = world.server.cli_json(&["site", "list"]).await?;
    ensure!(sites.as_array().map(Vec::len) == Some(1), "{sites}");
    ensure!(sites[0]["url"] == world.hosted.url.as_str(), "{sites}");
    Ok(())
}
