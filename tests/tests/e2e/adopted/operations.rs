//! Every operation on a site, by the command line, its outcome seen at the site.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::plugin::{Behaviour, PluginPackage};
use pressroom_tests::{adopted::World, killed::rounds};
use serde_json::{Value, json};
use std::fs;

/// Looks at a site, changes it in every way there is, and puts it back.
pub async fn every_operation(world: &World) -> Result<()> {
    looked_at(world).await?;
    components(world).await?;
    people(world).await?;
    visitors(world).await?;
    tables(world).await?;
    core(world).await?;
    snapshots(world).await?;
    copies(world).await?;
    world.is_its_owners()
}

/// Those that start something different at the site; every one in the long form of the
/// check.
pub async fn some_operations(world: &World) -> Result<()> {
    if rounds(0, 1) == 1 {
        return every_operation(world).await;
    }
    looked_at(world).await?;
    components(world).await?;
    tables(world).await?;
    world.is_its_owners()
}

async fn looked_at(world: &World) -> Result<()> {
    let site = world.json(&["site", "show", &world.site]).await?;
    ensure!(site["core_version"] == "6.4.5", "{site}");
    ensure!(site["title"] == "Lab", "{site}");
    ensure!(
        site["root"] == world.hosted.root.display().to_string(),
        "{site}"
    );
    let plugins = site["components"].as_array().context("components")?;
    ensure!(plugins.iter().any(|one| one["slug"] == "hello"), "{site}");
    let verified = world.json(&["site", "verify", &world.site]).await?;
    let core = &verified["subjects"][0];
    ensure!(
        core["slug"] == "wordpress" && core["verdict"] == "clean",
        "{verified}"
    );
    Ok(())
}

async fn components(world: &World) -> Result<()> {
    let site = world.site.as_str();
    let good = |version| PluginPackage::new("greeting").version(version);
    world.offer(&good("1.0.0"))?;
    world
        .cli(&["plugin", "install", site, "greeting", "--activate"])
        .await?;
    world.page_with("/", &good("1.0.0").mark()).await?;
    world.offer(&good("1.1.0"))?;
    world.cli(&["plugin", "update", site, "greeting"]).await?;
    world.page_with("/", &good("1.1.0").mark()).await?;

    // One that breaks the site is taken back, byte for byte.
    let before = tree(world, "greeting")?;
    world.offer(&good("1.2.0").behaviour(Behaviour::FatalEverywhere))?;
    let done = world
        .server
        .cli(&["plugin", "update", site, "greeting"], "")
        .await?;
    ensure!(done.code != 0, "{done:?}");
    ensure!(tree(world, "greeting")? == before, "it is not as it was");
    world.page_with("/", &good("1.1.0").mark()).await?;

    world
        .cli(&["plugin", "deactivate", site, "greeting"])
        .await?;
    let page = world.page("/").await?;
    ensure!(!page.contains("<!-- greeting"), "{page}");
    world.cli(&["plugin", "delete", site, "greeting"]).await?;
    ensure!(!world.plugin("greeting").exists());
    Ok(())
}

/// The files of a plugin, with what is in them.
fn tree(world: &World, slug: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(world.plugin(slug))? {
        let path = entry?.path();
        if path.is_file() {
            files.push((path.display().to_string(), fs::read(&path)?));
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "`{slug}` has no files");
    Ok(files)
}

async fn people(world: &World) -> Result<()> {
    let site = world.site.as_str();
    let add = ["site", "user", "add", site, "ops", "ops@press.example"];
    world.cli(&add).await?;
    world
        .cli(&["site", "user", "reset-password", site, "ops"])
        .await?;
    let users = world.json(&["site", "user", "list", site]).await?;
    ensure!(users.to_string().contains("ops@press.example"), "{users}");
    let rows = world
        .hosted
        .database
        .sql("SELECT COUNT(*) FROM wp_users WHERE user_login = 'ops'")?;
    ensure!(rows.trim() == "1", "{rows}");
    // A link that logs in, made by the API: it leads to the site's own address.
    let reply = world
        .server
        .api(Some(&world.token))?
        .post(
            "/api/v1/wordpress/auto-login",
            &json!({"id": site, "username": "ops"}),
        )
        .await?
        .expect(200)?;
    let link = ["login_url", "url", "auto_login_url"]
        .iter()
        .find_map(|name| reply.body[name].as_str())
        .with_context(|| reply.text.clone())?;
    ensure!(link.starts_with(&world.hosted.url), "{link}");
    Ok(())
}

async fn visitors(world: &World) -> Result<()> {
    let site = world.site.as_str();
    world.cli(&["site", "maintenance", "on", site]).await?;
    world
        .page_with("/", "Briefly unavailable for scheduled maintenance")
        .await?;
    world.cli(&["site", "maintenance", "off", site]).await?;
    world.page_with("/", "Lab").await?;
    world.cli(&["cache", "flush", site]).await?;
    world
        .cli(&["security", "file-editing", site, "off"])
        .await?;
    let config = fs::read_to_string(world.hosted.root.join("wp-config.php"))?;
    ensure!(config.contains("DISALLOW_FILE_EDIT"), "{config}");
    world.cli(&["security", "file-editing", site, "on"]).await?;
    Ok(())
}

async fn tables(world: &World) -> Result<()> {
    let site = world.site.as_str();
    world
        .cli(&[
            "site",
            "search-replace",
            site,
            "Hello world",
            "Good morning",
        ])
        .await?;
    world.page_with("/", "Good morning").await?;
    let file = world.server.scratch().join("adopted.sql");
    let file = file.to_str().context("a path")?;
    world.cli(&["site", "export", site, file]).await?;
    world
        .hosted
        .database
        .sql("UPDATE wp_options SET option_value = 'Changed' WHERE option_name = 'blogname'")?;
    world.page_with("/", "Changed").await?;
    world.cli(&["site", "import", site, file, "--yes"]).await?;
    let page = world.page("/").await?;
    ensure!(
        !page.contains("Changed") && page.contains("Good morning"),
        "{page}"
    );
    Ok(())
}

async fn core(world: &World) -> Result<()> {
    let site = world.site.as_str();
    world
        .cli(&["site", "update-core", site, "--version", "6.5.5"])
        .await?;
    let version = fs::read_to_string(world.hosted.root.join("wp-includes/version.php"))?;
    ensure!(version.contains("6.5.5"), "{version}");
    world.page_with("/", "Good morning").await?;
    fs::remove_file(world.hosted.root.join("wp-admin/credits.php"))?;
    world.cli(&["site", "reinstall-core", site]).await?;
    ensure!(world.hosted.root.join("wp-admin/credits.php").is_file());
    Ok(())
}

async fn snapshots(world: &World) -> Result<()> {
    let site = world.site.as_str();
    world.cli(&["snapshot", "create", site]).await?;
    let list = world.json(&["snapshot", "list", site]).await?;
    let newest: &Value = list.get(0).context("a snapshot")?;
    let name = newest["name"]
        .as_str()
        .or_else(|| newest["id"].as_str())
        .with_context(|| list.to_string())?
        .to_owned();
    world.cli(&["snapshot", "verify", &name]).await?;
    let config = world.hosted.root.join("wp-config.php");
    let before = fs::read(&config)?;
    fs::write(&config, "<?php die('broken');")?;
    fs::write(world.hosted.root.join("wp-content/added.txt"), "x")?;
    world
        .hosted
        .database
        .sql("UPDATE wp_posts SET post_title = 'Lost'")?;
    fs::write(&config, &before)?;
    world
        .cli(&["snapshot", "restore", site, &name, "--yes"])
        .await?;
    ensure!(fs::read(&config)? == before);
    ensure!(!world.hosted.root.join("wp-content/added.txt").exists());
    world.page_with("/", "Good morning").await
}

/// A copy of it on this machine, in a domain of ours.
async fn copies(world: &World) -> Result<()> {
    let copy = "copy.localhost";
    world
        .cli(&[
            "domain",
            "add",
            copy,
            "--account",
            pressroom_tests::fixture::ACCOUNT,
        ])
        .await?;
    world.cli(&["site", "clone", &world.site, copy]).await?;
    let site = world.json(&["site", "show", copy]).await?;
    ensure!(
        site["core_version"] == "6.5.5" && site["title"] == "Lab",
        "{site}"
    );
    ensure!(site["host"].is_null(), "{site}");
    world.page_with("/", "Good morning").await?;
    world.cli(&["site", "remove", copy, "--yes"]).await?;
    Ok(())
}
