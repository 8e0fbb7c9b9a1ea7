//! Pages from files and objects in Redis, seen as visitors see them.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options,
    api::Reply,
    plugin::PluginPackage,
    redis::Redis,
    site::{Page, Site},
};
use pressroom_tests::fixture::Fixture;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt};

/// Starts WordPress.
pub const LOAD: &str = "require 'wp-load.php'; ";

pub async fn change(fixture: &Fixture, site: &Site, what: &str, more: Value) -> Result<Reply> {
    let mut body = json!({ "id": site.id });
    for (name, value) in more.as_object().context("an object")? {
        body[name] = value.clone();
    }
    fixture.change(&format!("/cache/{what}"), &body).await
}

pub async fn enable(fixture: &Fixture, site: &Site, cache: &str) -> Result<Value> {
    let reply = change(fixture, site, "enable", json!({ "type": cache })).await?;
    Ok(reply.expect(200)?.body)
}

async fn told(fixture: &Fixture, site: &Site) -> Result<Value> {
    let reply = fixture.get(&format!("/cache?id={}", site.id)).await?;
    Ok(reply.expect(200)?.body)
}

/// A page and where it came from.
pub async fn seen(site: &Site, path: &str, cache: &str) -> Result<Page> {
    let page = site.get(path).await?;
    ensure!(
        page.status == 200 && page.cache.as_deref() == Some(cache),
        "{path} is {} {:?}, not {cache}",
        page.status,
        page.cache
    );
    Ok(page)
}

/// The front page: made anew now, with `text`, and the next one from the cache.
pub async fn fresh_with(site: &Site, text: &str) -> Result<()> {
    let page = seen(site, "/", "MISS").await?;
    ensure!(page.body.contains(text), "no `{text}` in the new page");
    let page = seen(site, "/", "HIT").await?;
    ensure!(page.body.contains(text), "no `{text}` in the kept page");
    Ok(())
}

pub fn content(site: &Site, name: &str) -> std::path::PathBuf {
    site.root.join("wp-content").join(name)
}

pub fn config(site: &Site) -> Result<String> {
    Ok(fs::read_to_string(site.root.join("wp-config.php"))?)
}

// Rows: T27, T28, T29, T30, T31
#[tokio::test]
async fn pages_come_from_the_cache_until_something_changes() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("pages.press.example").await?;
    let before = config(&site)?;
    let off = told(&fixture, &site).await?;
    assert_eq!(off["enabled"], false, "{off}");
    assert_eq!(
        off["page_cache"],
        json!({ "enabled": false, "engine": null, "size_bytes": 0, "files": 0 })
    );
    assert_eq!(
        off["object_cache"],
        json!({ "enabled": false, "engine": null })
    );
    assert_eq!(off["plugin"], Value::Null);
    ensure!(site.get("/").await?.cache.is_none());

    // No Redis is configured: pages alone.
    let refused = change(&fixture, &site, "enable", json!({ "type": "object" })).await?;
    ensure!(refused.status == 422, "{}", refused.text);
    let on = change(&fixture, &site, "enable", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(on["success"], true);
    assert_eq!(on["cache"]["page_cache"]["engine"], "file", "{on}");
    assert_eq!(on["cache"]["object_cache"]["enabled"], false);
    ensure!(
        on["message"]
            .as_str()
            .is_some_and(|text| text.contains("none is configured")),
        "{on}"
    );
    seen(&site, "/", "HIT").await?;
    let state = told(&fixture, &site).await?;
    ensure!(state["page_cache"]["files"].as_u64() >= Some(1), "{state}");
    ensure!(
        state["page_cache"]["size_bytes"].as_u64() > Some(1000),
        "{state}"
    );
    assert_eq!(state["opcache"], true, "{state}");
    let again = enable(&fixture, &site, "page").await?;
    ensure!(
        again["message"]
            .as_str()
            .is_some_and(|text| text.contains("already")),
        "{again}"
    );

    // Who is somebody gets a page of their own, and nobody else gets that one.
    let cookie = site.php(&format!(
        "{LOAD} echo LOGGED_IN_COOKIE, '=', wp_generate_auth_cookie(1, time() + 3600, 'logged_in');"
    ))?;
    let own = site.get_with_cookie("/", &cookie).await?;
    ensure!(
        own.cache.as_deref() == Some("BYPASS") && own.body.contains("wpadminbar"),
        "{own:?}"
    );
    ensure!(!seen(&site, "/", "HIT").await?.body.contains("wpadminbar"));
    for cookie in [
        "wordpress_logged_in_x=1",
        "comment_author_x=me",
        "wp-postpass_x=y",
        "woocommerce_items_in_cart=1",
    ] {
        let page = site.get_with_cookie("/", cookie).await?;
        ensure!(
            page.cache.as_deref() == Some("BYPASS"),
            "{cookie}: {:?}",
            page.cache
        );
    }
    let page = site
        .get_with_cookie("/", "wordpress_test_cookie=1; _ga=2")
        .await?;
    ensure!(page.cache.as_deref() == Some("HIT"), "{:?}", page.cache);
    for path in [
        "/?s=x",
        "/?p=1",
        "/?rest_route=/",
        "/?feed=rss2",
        "/?utm_source=a&x=1",
    ] {
        let page = site.get(path).await?;
        ensure!(
            page.cache.as_deref() == Some("BYPASS"),
            "{path}: {:?}",
            page.cache
        );
    }
    seen(&site, "/?utm_source=a&fbclid=b", "HIT").await?;
    let posted = site.post("/", "a=b").await?;
    ensure!(
        posted.cache.as_deref() == Some("BYPASS"),
        "{:?}",
        posted.cache
    );
    for _ in 0..2 {
        let missing = site.get("/no-such-page/").await?;
        ensure!(missing.status == 404 && missing.cache.as_deref() == Some("MISS"));
    }
    ensure!(site.get("/wp-login.php").await?.cache.is_none());

    // What changes is seen at once.
    site.php(&format!(
        "{LOAD} wp_insert_post(['post_title' => 'Fresh from the press', 'post_status' => 'publish', 'post_content' => 'x']);"
    ))?;
    fresh_with(&site, "Fresh from the press").await?;
    site.php(&format!("{LOAD} update_option('blogname', 'Renamed');"))?;
    fresh_with(&site, "<title>Renamed").await?;
    site.php(&format!("{LOAD} set_transient('quiet', 1, 60);"))?;
    seen(&site, "/", "HIT").await?;
    site.php(&format!("{LOAD} wp_delete_post(1, true);"))?;
    fresh_with(&site, "Renamed").await?;
    site.php(&format!(
        "{LOAD} do_action('switch_theme', 'x', wp_get_theme(), wp_get_theme());"
    ))?;
    fresh_with(&site, "Renamed").await?;

    // A plugin's update is seen at once, too.
    for version in ["1.0.0", "2.0.0"] {
        fixture.offer(&PluginPackage::new("shown").version(version))?;
        if version == "1.0.0" {
            let body = json!({ "id": site.id, "plugin": "shown", "activate": true });
            fixture
                .change("/plugins/install", &body)
                .await?
                .expect(201)?;
        } else {
            fixture.update_plugin(&site, "shown").await?.expect(200)?;
        }
        fresh_with(&site, &format!("<!-- shown {version} -->")).await?;
    }

    // Nobody reads the files but the site itself.
    let pages = content(&site, "cache/pressroom");
    assert_eq!(fs::metadata(&pages)?.permissions().mode() & 0o777, 0o700);
    let mut files = Vec::new();
    for shard in fs::read_dir(pages.join("pages"))? {
        files.extend(
            fs::read_dir(shard?.path())?
                .flatten()
                .map(|entry| entry.path()),
        );
    }
    ensure!(!files.is_empty());
    for file in &files {
        let address = file.strip_prefix(&site.root)?.display().to_string();
        let page = site.get(&format!("/{address}")).await?;
        ensure!(page.status >= 400, "/{address} is {}", page.status);
    }

    // T31.
    let foreign = json!({ "url": "http://other.example/" });
    let reply = change(&fixture, &site, "purge", foreign).await?;
    ensure!(reply.status == 422, "{}", reply.text);
    seen(&site, "/", "HIT").await?;
    let one = json!({ "url": format!("{}/", site.url) });
    let purged = change(&fixture, &site, "purge", one)
        .await?
        .expect(200)?
        .body;
    assert_eq!(purged["purged"], 1, "{purged}");
    seen(&site, "/", "MISS").await?;
    seen(&site, "/", "HIT").await?;
    let purged = change(&fixture, &site, "purge", json!({}))
        .await?
        .expect(200)?
        .body;
    ensure!(purged["purged"].as_u64() >= Some(1), "{purged}");
    assert_eq!(purged["cache"]["page_cache"]["files"], 0, "{purged}");
    fresh_with(&site, "Renamed").await?;

    // T29: as it was, byte for byte.
    let cli = fixture
        .server
        .cli(&["cache", "disable", "pages.press.example"], "")
        .await?;
    ensure!(cli.code == 0, "{cli:?}");
    ensure!(site.get("/").await?.cache.is_none());
    assert_eq!(config(&site)?, before);
    ensure!(!content(&site, "advanced-cache.php").exists() && !pages.exists());
    let off = change(&fixture, &site, "disable", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(off["cache"]["enabled"], false, "{off}");
    let shown = fixture
        .server
        .cli(&["cache", "show", "pages.press.example"], "")
        .await?;
    ensure!(shown.stdout.contains("pages:   not in use"), "{shown:?}");
    Ok(())
}

// Rows: T28, T29
#[tokio::test]
async fn what_is_somebody_elses_or_does_not_work_is_left_as_it_was() -> Result<()> {
    let mut redis = Redis::start()?;
    let options = Options {
        config: redis.config(),
        ..Options::default()
    };
    let fixture = Fixture::start(options).await?;
    let site = fixture.install("theirs.press.example").await?;
    let before = config(&site)?;
    let foreign = "<?php\n// WP Super Cache, with a byte order of its own \u{feff}\n";
    for (file, cache) in [
        ("advanced-cache.php", "page"),
        ("object-cache.php", "object"),
    ] {
        let path = content(&site, file);
        fs::write(&path, foreign)?;
        site.own(&path)?;
        let reply = change(&fixture, &site, "enable", json!({ "type": cache })).await?;
        ensure!(
            reply.status == 409 && reply.text.contains(file),
            "{}",
            reply.text
        );
        change(&fixture, &site, "disable", json!({}))
            .await?
            .expect(200)?;
        assert_eq!(fs::read_to_string(&path)?, foreign);
        assert_eq!(config(&site)?, before);
        if cache == "page" {
            assert_eq!(told(&fixture, &site).await?["plugin"], "WP Super Cache");
            fs::remove_file(&path)?;
        }
    }
    // Pages are possible beside it, and objects are said not to be.
    let on = change(&fixture, &site, "enable", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(on["cache"]["page_cache"]["engine"], "file", "{on}");
    ensure!(
        on["message"]
            .as_str()
            .is_some_and(|text| text.contains("object-cache.php")),
        "{on}"
    );
    assert_eq!(
        fs::read_to_string(content(&site, "object-cache.php"))?,
        foreign
    );
    change(&fixture, &site, "disable", json!({}))
        .await?
        .expect(200)?;
    assert_eq!(config(&site)?, before);
    fs::remove_file(content(&site, "object-cache.php"))?;

    // A site that says that nothing may be kept.
    let plugin = content(&site, "mu-plugins/never.php");
    fs::create_dir_all(plugin.parent().context("a directory")?)?;
    fs::write(&plugin, "<?php define('DONOTCACHEPAGE', true);")?;
    site.own(&content(&site, "mu-plugins"))?;
    let reply = change(&fixture, &site, "enable", json!({ "type": "page" })).await?;
    ensure!(
        reply.status == 502 && reply.text.contains("must not be kept"),
        "{}",
        reply.text
    );
    ensure!(reply.text.contains("as they were"), "{}", reply.text);
    assert_eq!(config(&site)?, before);
    ensure!(!content(&site, "advanced-cache.php").exists());
    ensure!(site.get("/").await?.cache.is_none());
    fs::remove_file(&plugin)?;

    // A configuration that says `false` says so again.
    let file = site.root.join("wp-config.php");
    let said = before.replacen("<?php", "<?php\ndefine( 'WP_CACHE', false );", 1);
    fs::write(&file, &said)?;
    enable(&fixture, &site, "page").await?;
    seen(&site, "/", "HIT").await?;
    change(&fixture, &site, "disable", json!({ "type": "page" }))
        .await?
        .expect(200)?;
    assert_eq!(config(&site)?, said);

    // A server that lets everybody in keeps nobody apart; one that is gone is no server.
    let open = redis.cli(&["ACL", "SETUSER", "default", "nopass"])?;
    assert_eq!(open, "OK");
    let reply = change(&fixture, &site, "enable", json!({ "type": "object" })).await?;
    ensure!(
        reply.status == 422 && reply.text.contains("keep sites apart"),
        "{}",
        reply.text
    );
    redis.stop();
    let reply = change(&fixture, &site, "enable", json!({ "type": "object" })).await?;
    ensure!(
        reply.status == 422 && reply.text.contains("not reachable"),
        "{}",
        reply.text
    );
    assert_eq!(config(&site)?, said);
    ensure!(!content(&site, "object-cache.php").exists());
    Ok(())
}
