//! Networks of WordPress sites, each with an address of its own, over the web servers
//! that Pressroom runs.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::site::{Page, Site};
use pressroom_tests::{fixture::Fixture, network::network};
use serde_json::json;
use std::fs;

const HOST: &str = "net.press.example";

/// Asks for what visitors, editors and intruders ask of one site of a network, below
/// `prefix`.
async fn check(site: &Site, base: &str, title: &str) -> Result<()> {
    let get = async |path: &str| -> Result<Page> { site.get_url(&format!("{base}{path}")).await };
    let page = get("/").await?;
    ensure!(
        page.status == 200 && page.body.contains(&format!("<title>{title}")),
        "{base}/ is {}: {}",
        page.status,
        page.body.chars().take(1500).collect::<String>()
    );
    // Every file of its own that the page names is there and is no page.
    let own: Vec<String> = page
        .body
        .split(['"', '\''])
        .filter(|part| part.starts_with(base) && part.contains("/wp-") && !part.contains("wp-json"))
        .filter(|part| part.contains(".css") || part.contains(".js"))
        .map(str::to_owned)
        .collect();
    ensure!(!own.is_empty(), "the page names no asset");
    for asset in own.iter().take(5) {
        let answer = site.get_url(asset).await?;
        ensure!(
            answer.status == 200 && !answer.body.contains("<html"),
            "{asset}: {}",
            answer.status
        );
    }
    let login = get("/wp-login.php").await?;
    ensure!(
        login.status == 200 && login.body.contains("user_login"),
        "login is {}",
        login.status
    );
    let style = get("/wp-admin/css/login.css").await?;
    ensure!(style.status == 200 && style.body.contains("#login"));
    let admin = get("/wp-admin/").await?;
    let location = admin.location.unwrap_or_default();
    ensure!(
        admin.status == 302 && location.starts_with(&format!("{base}/wp-login.php")),
        "wp-admin is {}: {location}",
        admin.status
    );
    ensure!(get("/wp-admin").await?.status == 301);
    let rest = get("/wp-json/wp/v2/posts").await?;
    ensure!(
        rest.status == 200 && rest.body.contains(&base.replace('/', "\\/")),
        "REST is {}: {}",
        rest.status,
        rest.body
    );
    ensure!(get("/no-such-page/").await?.status == 404);
    let upload = get("/wp-content/uploads/sites/2/letter.txt").await?;
    ensure!(upload.status == 200 && upload.body == "a letter");
    for path in [
        "/wp-config.php",
        "/.git/config",
        "/.env",
        "/wp-content/debug.log",
        "/wp-content/uploads/x.php",
        "/wp-content/uploads/sites/2/x.php",
        "/wp-content/blogs.dir/2/files/x.php",
        "/files/x.php",
        "/wp-includes/version.php",
    ] {
        let page = get(path).await?;
        ensure!(
            page.status == 403 && !page.body.contains("LEAK"),
            "{base}{path} is {}",
            page.status
        );
    }
    Ok(())
}

/// What must not come out, and an upload that must.
fn plant(site: &Site) -> Result<()> {
    for (path, content) in [
        (".git/config", "LEAK"),
        (".env", "LEAK"),
        ("wp-content/debug.log", "LEAK"),
        ("wp-content/uploads/x.php", "<?php echo 'LEAK';"),
        ("wp-content/uploads/sites/2/x.php", "<?php echo 'LEAK';"),
        ("wp-content/blogs.dir/2/files/x.php", "<?php echo 'LEAK';"),
        ("wp-content/blogs.dir/2/files/old.txt", "an old letter"),
        ("wp-content/uploads/sites/2/letter.txt", "a letter"),
    ] {
        let file = site.root.join(path);
        fs::create_dir_all(file.parent().context("a directory")?)?;
        fs::write(&file, content)?;
    }
    site.own(&site.root.join("wp-content"))?;
    site.own(&site.root.join(".git"))
}

/// Has Pressroom look at the site, as before every change it is asked for.
async fn look(fixture: &Fixture, site: &Site) -> Result<()> {
    let reply = fixture.update_plugin(site, "not-there").await?;
    ensure!(reply.status == 404, "{}", reply.text);
    Ok(())
}

// Rows: T05
#[tokio::test]
async fn sites_in_directories_are_served_once_the_network_was_seen() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(HOST).await?;
    network(&site, false)?;
    plant(&site)?;
    let second = format!("{}/second", site.url);
    let login = format!("{second}/wp-login.php");
    look(&fixture, &site).await?;
    check(&site, &site.url, "Site of").await?;
    check(&site, &second, "Second").await?;

    // Addresses of uploads as they were before WordPress 3.5.
    let old = format!("{second}/files/old.txt");
    ensure!(site.get_url(&old).await?.status == 404);
    let host = site.url.trim_start_matches("http://").to_owned();
    site.php(&format!(
        "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/'; require 'wp-load.php'; \
         update_site_option('ms_files_rewriting', '1');"
    ))?;
    look(&fixture, &site).await?;
    let page = site.get_url(&old).await?;
    ensure!(
        page.status == 200 && page.body == "an old letter",
        "{page:?}"
    );
    let hidden = site.get_url(&format!("{second}/files/x.php")).await?;
    ensure!(hidden.status == 403, "{hidden:?}");

    // One site again: nothing of the network is left in how it is served.
    let config = site.root.join("wp-config.php");
    let text = fs::read_to_string(&config)?;
    fs::write(
        &config,
        text.replace(
            "define('MULTISITE', true); define('SUBDOMAIN_INSTALL', false);",
            "define('MULTISITE', false);",
        ),
    )?;
    look(&fixture, &site).await?;
    let gone = site.get_url(&login).await?;
    let again = fs::read_to_string(&config)?;
    ensure!(
        gone.status == 404,
        "the site is still served as a network: {again}"
    );
    site.front_page_with(&site.url).await?;
    Ok(())
}

#[tokio::test]
async fn sites_with_names_of_their_own_are_served_once_the_network_was_seen() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(HOST).await?;
    network(&site, true)?;
    plant(&site)?;
    let port = fixture.server.sites_port();
    let name = format!("second.{HOST}");
    let second = Site::of_installation(
        &json!({"id": site.id, "domain": name, "path": site.root, "site_url": format!("http://{name}:{port}")}),
        port,
    )?;
    look(&fixture, &site).await?;
    check(&site, &site.url, "Site of").await?;
    check(&second, &second.url, "Second").await?;
    // A domain of its own goes before the network.
    let own = fixture.install(&name).await?;
    ensure!(
        !own.front_page_with(&own.url)
            .await?
            .body
            .contains("<title>Second")
    );
    Ok(())
}
