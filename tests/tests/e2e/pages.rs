//! The cache of pages where something is not as usual.

use crate::caches::{LOAD, change, config, content, enable, fresh_with, seen};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, site::Site};
use pressroom_tests::fixture::Fixture;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::{MetadataExt, lchown},
    path::Path,
};

/// Somebody who is no site's user.
const NOBODY: u32 = 65534;

async fn purged(fixture: &Fixture, site: &Site, what: Value) -> Result<Value> {
    let reply = change(fixture, site, "purge", what).await?;
    Ok(reply.expect(200)?.body["purged"].clone())
}

/// Gives everything in a directory to a user.
fn give(path: &Path, user: u32) -> Result<()> {
    lchown(path, Some(user), Some(user))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), user)?;
        }
    }
    Ok(())
}

// Rows: T27, T28, T29, T31
#[tokio::test]
async fn pages_of_odd_names_visitors_and_owners() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("odd.press.example").await?;
    let before = config(&site)?;
    enable(&fixture, &site, "page").await?;

    // One page, however its address is spelled.
    let link = site.php(&format!(
        "{LOAD} echo get_permalink(wp_insert_post(['post_title' => 'Добрый день', 'post_status' => 'publish', 'post_content' => 'x']));"
    ))?;
    let path = link.strip_prefix(&site.url).context("on this site")?;
    ensure!(path.starts_with("/%d0%b4"), "{path}");
    for spelled in [path, &path.to_ascii_uppercase(), "/добрый-день"] {
        seen(&site, path, "MISS").await?;
        seen(&site, path, "HIT").await?;
        let url = json!({ "url": format!("{}{spelled}", site.url) });
        assert_eq!(purged(&fixture, &site, url).await?, 1, "{spelled}");
    }

    // What was made for a cookie that nobody knows is not for everybody.
    purged(&fixture, &site, json!({})).await?;
    for _ in 0..2 {
        let page = site.get_with_cookie("/", "currency=eur").await?;
        ensure!(page.cache.as_deref() == Some("MISS"), "{:?}", page.cache);
    }
    fresh_with(&site, "Site of").await?;

    // Pages of another user, as whom some web servers run PHP.
    let pages = content(&site, "cache/pressroom");
    give(&pages, NOBODY)?;
    let told = fixture.get(&format!("/cache?id={}", site.id)).await?;
    let told = told.expect(200)?.body;
    assert_eq!(told["page_cache"]["enabled"], true, "{told}");
    assert_eq!(told["page_cache"]["files"], 0, "{told}");
    let cli = async |what: &str| {
        let said = fixture
            .server
            .cli(&["cache", what, "odd.press.example"], "")
            .await?;
        ensure!(said.code == 0, "{said:?}");
        anyhow::Ok(format!("{}{}", said.stdout, said.stderr))
    };
    let shown = cli("show").await?;
    ensure!(shown.contains("another user's"), "{shown}");
    for what in [json!({}), json!({ "url": format!("{}/", site.url) })] {
        let reply = change(&fixture, &site, "purge", what).await?;
        ensure!(
            reply.status == 502 && reply.text.contains("another user"),
            "{} {}",
            reply.status,
            reply.text
        );
    }
    let said = cli("disable").await?;
    ensure!(
        said.contains("they stay until that user removes them"),
        "{said}"
    );
    assert_eq!(config(&site)?, before);
    ensure!(!content(&site, "advanced-cache.php").exists());
    assert_eq!(fs::metadata(&pages)?.uid(), NOBODY);
    ensure!(site.get("/").await?.cache.is_none());
    let owner = fs::metadata(site.root.join("wp-config.php"))?.uid();
    give(&pages, owner)?;

    // A drop-in that took the place of ours meanwhile needs the constant.
    enable(&fixture, &site, "page").await?;
    let foreign = "<?php // WP Super Cache\n";
    fs::write(content(&site, "advanced-cache.php"), foreign)?;
    let off = change(&fixture, &site, "disable", json!({ "type": "page" })).await?;
    let off = off.expect(200)?.body;
    assert_eq!(off["cache"]["page_cache"]["engine"], "other", "{off}");
    let drop_in = fs::read_to_string(content(&site, "advanced-cache.php"))?;
    assert_eq!(drop_in, foreign);
    let defined = site.php(&format!(
        "{LOAD} echo json_encode([WP_CACHE, defined('PRESSROOM_WP_CACHE_BEFORE')]);"
    ))?;
    assert_eq!(defined, "[true,false]");
    Ok(())
}
