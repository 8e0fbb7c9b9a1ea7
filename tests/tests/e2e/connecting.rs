//! Sites that are added by their address through the API, found where they are and
//! connected, on this machine and over SSH.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, eventually};
use pressroom_tests::{
    adopted::{DOMAIN, Way, World},
    client::Client,
    fixture::ACCOUNT,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{fs, time::Duration};

const SOON: Duration = Duration::from_mins(1);

async fn add(client: &Client, body: &Value) -> Result<String> {
    let reply = client.send(Method::POST, "/sites", Some(body)).await?;
    let reply = reply.expect(201)?;
    ensure!(reply.body["status"] == "pending", "{}", reply.text);
    ensure!(reply.body["connected"] == false, "{}", reply.text);
    reply.string("id")
}

async fn edit(client: &Client, id: &str, body: &Value) -> Result<Value> {
    let path = format!("/sites/{id}");
    let reply = client.send(Method::PATCH, &path, Some(body)).await?;
    Ok(reply.expect(200)?.body)
}

/// The site once it is connected.
async fn connected(client: &Client, id: &str) -> Result<Value> {
    eventually("the site is connected", SOON, || async {
        let site = client.get(&format!("/sites/{id}")).await?;
        ensure!(site["connected"] == true, "{site}");
        Ok(site)
    })
    .await
}

async fn forget(client: &Client, id: &str) -> Result<()> {
    let path = format!("/sites/{id}");
    client
        .send(Method::DELETE, &path, None)
        .await?
        .expect(204)?;
    client
        .send(Method::DELETE, &path, None)
        .await?
        .expect(404)?;
    Ok(())
}

/// Why a site is not connected, once that says this.
async fn trouble(world: &World, text: &str) -> Result<Value> {
    eventually(format!("`{text}`"), SOON, || async {
        let pending = world.json(&["site", "list", "--pending"]).await?;
        let why = pending[0]["trouble"].as_str().unwrap_or_default();
        ensure!(why.contains(text), "{pending}");
        Ok(pending[0].clone())
    })
    .await
}

/// Gives the account a domain whose directory is the owner's home.
async fn give_domain(world: &World) -> Result<()> {
    // No directory that exists is given: whoever places a site there comes later.
    let home = world.owner();
    let aside = home.with_extension("aside");
    fs::rename(home, &aside)?;
    let root = home.display().to_string();
    let words = [
        "domain",
        "add",
        DOMAIN,
        "--account",
        ACCOUNT,
        "--root",
        &root,
    ];
    let added = world.server.cli(&words, "").await;
    fs::rename(&aside, home)?;
    added?.line()?;
    Ok(())
}

fn is_as_wordpress_says(site: &Value, world: &World, method: &str) -> Result<()> {
    for (member, value) in [
        ("url", json!(world.hosted.url)),
        ("status", json!("healthy")),
        ("connection_method", json!(method)),
        ("multisite", json!(false)),
        ("tags", json!(["lab"])),
    ] {
        ensure!(site[member] == value, "{member}: {site}");
    }
    let version = site["wp_version"].as_str().unwrap_or_default();
    ensure!(version.starts_with("6.4"), "{site}");
    let php = site["php_version"].as_str().unwrap_or_default();
    ensure!(
        php.starts_with(|digit: char| digit.is_ascii_digit()),
        "{site}"
    );
    ensure!(site["theme"]["slug"].is_string(), "{site}");
    ensure!(site["last_checked_at"].is_string(), "{site}");
    Ok(())
}

#[tokio::test]
async fn below_a_domain_of_this_machine() -> Result<()> {
    let world = World::prepare(Way::Local).await?;
    let client = Client::of(&world.server).await?;
    let body = json!({ "name": "Shop", "url": world.hosted.url, "tags": ["lab"] });
    // Without a domain its name is this machine's own, which nobody may name.
    let reply = client.send(Method::POST, "/sites", Some(&body)).await?;
    ensure!(
        reply.status == 422 && reply.body["error"] == "Url is not allowed",
        "{}",
        reply.text
    );
    give_domain(&world).await?;
    let config = world.hosted.root.join("wp-config.php");
    let aside = world.owner().join("wp-config.aside");
    fs::rename(&config, &aside)?;
    let id = add(&client, &body).await?;
    let pending = trouble(&world, "there is no WordPress below").await?;
    ensure!(
        pending["status"] == "pending" && pending["method"] == "local",
        "{pending}"
    );
    let log = client
        .get(&format!(
            "/activity_logs?site_id={id}&event=site.connect_failed"
        ))
        .await?;
    ensure!(log.as_array().map(Vec::len) == Some(1), "{log}");
    let listed = world.cli(&["site", "list"]).await?;
    ensure!(
        listed.stderr.contains("1 site is not connected yet"),
        "{listed:?}"
    );

    // Put right and asked for again, it is there at once.
    fs::rename(&aside, &config)?;
    let url = world.hosted.url.clone();
    world.cli(&["site", "pause", &url]).await?;
    ensure!(client.get(&format!("/sites/{id}")).await?["status"] == "paused");
    world.cli(&["site", "resume", &url]).await?;
    let site = connected(&client, &id).await?;
    is_as_wordpress_says(&site, &world, "local")?;
    let log = client
        .get(&format!("/activity_logs?site_id={id}&event=site.connected"))
        .await?;
    ensure!(log.as_array().map(Vec::len) == Some(1), "{log}");
    ensure!(
        log[0]["metadata"]
            == json!({ "wp_version": site["wp_version"], "php_version": site["php_version"],
                       "connection_method": "local" }),
        "{log}"
    );
    let sites = world.json(&["site", "list"]).await?;
    ensure!(
        sites[0]["url"] == url.as_str() && sites[0]["tags"] == json!(["lab"]),
        "{sites}"
    );
    ensure!(world.json(&["site", "list", "--pending"]).await? == json!([]));
    world.is_its_owners()?;

    another_address_is_not_written(&world, &client, &id).await?;

    forget(&client, &id).await?;
    world.page_with("/", "Lab").await?;
    ensure!(config.is_file(), "a file of the site is gone");
    ensure!(world.json(&["site", "list"]).await? == json!([]));
    Ok(())
}

/// A site that calls itself otherwise is not believed to be elsewhere, and stays as it is.
async fn another_address_is_not_written(world: &World, client: &Client, id: &str) -> Result<()> {
    let url = &world.hosted.url;
    let elsewhere = format!("{url}/blog");
    let edited = edit(client, id, &json!({ "url": elsewhere })).await?;
    ensure!(
        edited["url"] == elsewhere.as_str() && edited["connected"] == true,
        "{edited}"
    );
    let failed = eventually("it is looked for there", SOON, || async {
        let log = client
            .get(&format!(
                "/activity_logs?site_id={id}&event=site.connect_failed"
            ))
            .await?;
        ensure!(log.as_array().map(Vec::len) == Some(2), "{log}");
        Ok(log[0].clone())
    })
    .await?;
    let reason = failed["metadata"]["reason"].as_str().context("a reason")?;
    ensure!(
        reason.contains(&format!("calls itself `{url}`")),
        "{reason}"
    );
    let back = edit(client, id, &json!({ "url": url })).await?;
    ensure!(back["url"] == url.as_str(), "{back}");
    world.page_with("/", "Lab").await
}

#[tokio::test]
async fn on_a_host_over_ssh() -> Result<()> {
    let world = World::prepare(Way::Login).await?;
    let client = Client::of(&world.server).await?;
    let url = world.hosted.url.clone();
    // Found by its address among what is below the login's home.
    let other = "<?php define('WP_HOME', 'http://other.example'); $table_prefix = 'wp_';";
    world.login.write(
        "other/wp-includes/version.php",
        "<?php $wp_version = '6.4';",
    )?;
    world.login.write("other/wp-load.php", "<?php")?;
    world.login.write("other/wp-config.php", other)?;
    let body = json!({ "site": { "name": "Shop", "url": url, "tags": ["lab"],
        "connection_method": "ssh", "ssh": { "host": "web1" } } });
    let id = add(&client, &body).await?;
    let site = connected(&client, &id).await?;
    is_as_wordpress_says(&site, &world, "ssh")?;
    let log = client
        .get(&format!("/activity_logs?site_id={id}&event=site.connected"))
        .await?;
    ensure!(log[0]["metadata"]["connection_method"] == "ssh", "{log}");
    forget(&client, &id).await?;
    world.page_with("/", "Lab").await?;

    // By its directory, from the command line.
    let root = world.hosted.root.display().to_string();
    let words = [
        "site",
        "add",
        &url,
        "--name",
        "Again",
        "--account",
        ACCOUNT,
        "--host",
        "web1",
        "--path",
        &root,
        "--tag",
        "lab",
    ];
    let short = world.cli(&words).await?.line()?;
    let site = connected(&client, &format!("site_{short}")).await?;
    is_as_wordpress_says(&site, &world, "ssh")?;
    ensure!(site["name"] == "Again", "{site}");
    let twice = world.server.cli(&words, "").await?;
    ensure!(
        twice.code == 2 && twice.stderr.contains("has already been taken"),
        "{twice:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_an_operator_adopts_is_the_site_that_waits() -> Result<()> {
    let options = Options {
        config: "[outgoing]\nallow_private = \"127.0.0.0/8\"\n".into(),
        ..Options::default()
    };
    let world = World::prepare_with(Way::Local, options).await?;
    let client = Client::of(&world.server).await?;
    let body = json!({ "name": "Shop", "url": world.hosted.url, "tags": ["lab"] });
    let id = add(&client, &body).await?;
    let adopted = world.adopt(&[]).await?;
    ensure!(
        adopted["is_new"] == true && adopted["site_name"] == "Shop",
        "{adopted}"
    );
    let site = connected(&client, &id).await?;
    ensure!(
        site["status"] == "healthy" && site["tags"] == json!(["lab"]),
        "{site}"
    );
    let all = client.get("/sites").await?;
    ensure!(all.as_array().map(Vec::len) == Some(1), "{all}");
    Ok(())
}

#[tokio::test]
async fn without_a_way_to_it_what_is_seen_is_told() -> Result<()> {
    let options = Options {
        config: "[outgoing]\nallow_private = \"127.0.0.0/8\"\n".into(),
        ..Options::default()
    };
    let world = World::prepare_with(Way::Local, options).await?;
    let client = Client::of(&world.server).await?;
    let generator = "<html><meta name=\"generator\" content=\"WordPress 6.4\"></html>";
    for (path, page, told) in [
        ("www/seen/index.html", generator, "WordPress answers at"),
        (
            "www/plain/index.html",
            "<html>Hello</html>",
            "does not look like WordPress",
        ),
    ] {
        world.login.write(path, page)?;
        let name = path.split('/').nth(1).context("a name")?;
        let url = format!("http://{}/{name}", world.hosted.addr);
        let id = add(&client, &json!({ "name": name, "url": url })).await?;
        let pending = trouble(&world, told).await?;
        ensure!(pending["url"] == url.as_str(), "{pending}");
        let site = client.get(&format!("/sites/{id}")).await?;
        ensure!(
            site["status"] == "pending" && site["wp_version"].is_null(),
            "{site}"
        );
        let released = world.cli(&["site", "release", &url]).await?;
        ensure!(released.stderr.contains("forgot"), "{released:?}");
        forget(&client, &id)
            .await
            .err()
            .context("it is gone already")?;
    }
    Ok(())
}
