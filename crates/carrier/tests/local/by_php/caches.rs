//! Caches, as both agents see and empty them.

use super::Both;
use crate::site::{ROOT, epoch};
use pressroom_agent::protocol::SiteRef;
use pressroom_wordpress::{
    caches::{DropIn, FlushOptions, FoundDropIn},
    tree::TreeHash,
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, lchown, symlink},
    path::{Path, PathBuf},
};

/// As the site's user would have made it.
fn own(path: &Path, uid: u32) {
    lchown(path, Some(uid), None).unwrap();
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).unwrap() {
            own(&entry.unwrap().path(), uid);
        }
    }
}

fn put(content: &Path, path: &str, text: &str) -> PathBuf {
    let path = content.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn both_flush_what_is_kept_as_files() {
    let both = Both::new().await;
    let content = both.site.path("public_html/wp-content");
    let outside = both.site.path("outside");
    put(&outside, "x", "mine");
    fs::create_dir(content.join("cache")).unwrap();
    symlink(&outside, content.join("cache/wp-rocket")).unwrap();
    put(&content, "cache/breeze", "a file");
    put(&content, "plugins/nginx-helper/x.php", "");
    let mut said = Vec::new();
    for session in both.all() {
        for path in [
            "cache/supercache/a/index.html",
            "cache/supercache/a/b/index.html",
            "cache/all/x",
            "cache/pressroom/pages/aa/1.page",
            "cache/mine/x",
        ] {
            put(&content, path, "x");
        }
        let mode = fs::Permissions::from_mode(0o2775);
        own(&content.join("cache"), both.site.uid());
        fs::set_permissions(content.join("cache/all"), mode).unwrap();
        let options = FlushOptions::default();
        let report = session.flush_caches(epoch(1), ROOT, options).await.unwrap();
        let left = |path: &str| fs::read_dir(content.join(path)).unwrap().count();
        assert_eq!((left("cache/supercache"), left("cache/all")), (0, 0));
        assert!(content.join("cache/pressroom/purged-all").is_file());
        assert_eq!((left("cache/pressroom"), left("cache/mine")), (1, 1));
        let mode = fs::metadata(content.join("cache/all")).unwrap();
        assert_eq!(mode.permissions().mode() & 0o7777, 0o2775);
        assert_eq!(fs::read_to_string(outside.join("x")).unwrap(), "mine");
        assert_eq!(both.site.staging().len(), 0);
        said.push(report);
        fs::remove_dir_all(content.join("cache/pressroom")).unwrap();
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0].caches.len(), 8, "{said:?}");
    put(
        &content,
        "object-cache.php",
        "<?php // Plugin Name: Redis one",
    );
    let options = FlushOptions::default();
    let report = both.php.flush_caches(epoch(1), ROOT, options).await;
    let report = report.unwrap();
    assert!(!report.is_certain());
    assert_eq!(report.caches[1].name, "Redis one");
}

#[tokio::test]
async fn both_tell_what_there_is() {
    let both = Both::new().await;
    let content = both.site.path("public_html/wp-content");
    let config =
        "<?php define('DB_NAME', 'shop'); $table_prefix = 'wp_'; define('WP_CACHE', true);";
    put(
        &both.site.path(ROOT),
        "wp-config.php",
        &format!("{config} require ABSPATH . 'wp-settings.php';"),
    );
    let site = || SiteRef {
        root: ROOT.into(),
        php: Some("php".into()),
    };
    let told = async || {
        let ours = both.php.cache_status(site(), None).await.unwrap();
        let theirs = both.native.cache_status(site(), None).await.unwrap();
        assert_eq!(ours, theirs);
        ours
    };
    assert_eq!(told().await.page, FoundDropIn::Absent);
    for which in [DropIn::Page, DropIn::Object] {
        both.native
            .put_drop_in(epoch(1), ROOT, which)
            .await
            .unwrap();
    }
    let status = told().await;
    let ours = FoundDropIn::Ours { current: true };
    assert_eq!((&status.page, &status.object), (&ours, &ours));
    assert_eq!(status.wp_cache, Some(true));
    for (page, object, backend) in [
        ("<?php // WP-Rocket", "<?php // Plugin Name: APCu", "apcu"),
        ("<?php", "<?php new Memcached;", "memcached"),
        ("<?php // surge breeze", "<?php // apcu or redis", "other"),
    ] {
        put(&content, "advanced-cache.php", page);
        put(&content, "object-cache.php", object);
        let status = told().await;
        assert_eq!(status.object_backend.as_deref(), Some(backend));
    }
    fs::remove_file(content.join("advanced-cache.php")).unwrap();
    symlink("/etc/passwd", content.join("advanced-cache.php")).unwrap();
    assert!(matches!(told().await.page, FoundDropIn::Foreign { .. }));
}

#[tokio::test]
async fn both_purge_the_same_pages() {
    let both = Both::new().await;
    let content = both.site.path("public_html/wp-content");
    let pages = |count: usize| {
        let _ = fs::remove_dir_all(content.join("cache"));
        let urls = [
            "http://a.example/one/",
            "https://a.example/one",
            "http://a.example/t%c3%bcr/",
            "http://b.example/one/",
            "http://a.example/a%2fb/",
        ];
        for (at, url) in urls.iter().take(count).enumerate() {
            let text = format!("{{\"url\":\"{url}\"}}\n<html>");
            put(
                &content,
                &format!("cache/pressroom/pages/a{at}/{at}.page"),
                &text,
            );
        }
        put(&content, "cache/pressroom/pages/aa/x.page", "no head");
        own(&content.join("cache"), both.site.uid());
    };
    for (url, purged) in [
        (Some("http://A.example/one?utm=x#y"), 2),
        (Some("http://a.example/t\u{fc}r"), 1),
        (Some("http://a.example/a/b"), 0),
        (Some("http://a.example/%61%2Fb"), 1),
        (None, 6),
    ] {
        let mut left: Vec<Option<TreeHash>> = Vec::new();
        for session in both.all() {
            pages(5);
            let done = session.purge_pages(epoch(1), ROOT, url).await.unwrap();
            assert_eq!(done, purged, "{url:?}");
            if url.is_none() {
                assert!(content.join("cache/pressroom/purged-all").is_file());
                assert!(!content.join("cache/pressroom/pages").exists());
                continue;
            }
            let path = "public_html/wp-content/cache/pressroom";
            left.push(both.native.tree_hash(path).await.unwrap());
        }
        assert!(left.iter().all(|tree| *tree == left[0]));
    }
    fs::remove_dir_all(content.join("cache")).unwrap();
    for session in both.all() {
        assert_eq!(session.purge_pages(epoch(1), ROOT, None).await.unwrap(), 0);
    }
}
