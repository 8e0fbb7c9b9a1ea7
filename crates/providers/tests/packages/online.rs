//! Packages from a server that speaks wordpress.org's API.

use crate::{leftovers, names};
use pressroom_base::Kind;
use pressroom_providers::packages::{
    Error, Installed, PackageCache, PackageKind, PackageSource, WordPressOrg as Client,
};
use pressroom_testkit::wordpress_org::{Release, WordPressOrg};
use std::fs;
use tempfile::TempDir;

fn cache(temp: &TempDir, server: &WordPressOrg) -> PackageCache {
    let source = PackageSource::WordPressOrg {
        base_url: server.base_url.parse().unwrap(),
    };
    PackageCache::new(temp.path().join("cache"), vec![source])
}

async fn server() -> WordPressOrg {
    WordPressOrg::start(vec![
        Release::core("6.4.5").unwrap(),
        Release::core("6.5.5").unwrap(),
        Release::plugin("shop", "1.9.0").unwrap(),
        Release::plugin("shop", "1.10.0").unwrap(),
        Release::theme("paper", "2.0").unwrap(),
    ])
    .await
    .unwrap()
}

#[tokio::test]
async fn the_api_is_understood() {
    let (temp, server) = (tempfile::tempdir().unwrap(), server().await);
    let cache = cache(&temp, &server);
    assert_eq!(cache.core_versions().await.unwrap(), ["6.5.5", "6.4.5"]);
    let core = cache.core(None, "en_US").await.unwrap();
    assert_eq!((core.version.as_str(), names(&core).len()), ("6.5.5", 2));
    assert_eq!(
        cache.core(Some("6.4.5"), "en_US").await.unwrap().version,
        "6.4.5"
    );
    let offer = cache
        .offer(PackageKind::Plugin, "shop", Some("1.9.0"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            offer.version.as_str(),
            offer.requires_wordpress.as_deref(),
            offer.requires_php
        ),
        ("1.10.0", Some("5.0"), None)
    );
    assert_eq!(
        cache
            .fetch(PackageKind::Plugin, "shop", Some("1.9.0"))
            .await
            .unwrap()
            .version,
        "1.9.0"
    );
    assert_eq!(
        cache
            .fetch(PackageKind::Theme, "paper", None)
            .await
            .unwrap()
            .version,
        "2.0"
    );
    for kind in [PackageKind::Plugin, PackageKind::Theme] {
        assert_eq!(cache.offer(kind, "unknown", Some("1")).await.unwrap(), None);
        assert_eq!(
            cache.fetch(kind, "unknown", None).await.unwrap_err().kind(),
            Kind::NotFound
        );
    }
    let client = Client::new(server.base_url.parse().unwrap());
    let sums = client
        .core_checksums("6.5.5", "en_US")
        .await
        .unwrap()
        .unwrap();
    // What `md5sum` says of `<?php` and a line feed.
    assert_eq!(sums["index.php"], "ce407ff5715c837d02b1aba7975bf512");
    assert_eq!(client.core_checksums("9.9", "en_US").await.unwrap(), None);
}

#[tokio::test]
async fn many_plugins_are_one_question() {
    let (temp, server) = (tempfile::tempdir().unwrap(), server().await);
    let cache = cache(&temp, &server);
    let installed = |slug: &str, version: &str| Installed {
        slug: slug.into(),
        file: format!("{slug}/{slug}.php"),
        version: version.into(),
    };
    let offers = cache
        .offers(&[installed("shop", "1.9.0"), installed("private", "1.0")])
        .await
        .unwrap();
    assert_eq!(offers.len(), 1);
    assert_eq!(offers["shop"].version, "1.10.0");
    assert!(
        cache
            .offers(&[installed("shop", "1.10.0")])
            .await
            .unwrap()
            .is_empty()
    );
    // A site that is ahead is not offered a step back.
    assert!(
        cache
            .offers(&[installed("shop", "2.0")])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_package_is_downloaded_once() {
    let (temp, server) = (tempfile::tempdir().unwrap(), server().await);
    let cache = cache(&temp, &server);
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move {
                cache
                    .fetch(PackageKind::Plugin, "shop", None)
                    .await
                    .unwrap()
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let downloads = server
        .asked()
        .iter()
        .filter(|path| path.starts_with("/download/"))
        .count();
    assert_eq!(downloads, 1);
}

#[tokio::test]
async fn what_arrives_is_checked() {
    let (temp, server) = (tempfile::tempdir().unwrap(), server().await);
    let cache = cache(&temp, &server);
    let mut cut = Release::plugin("cut", "1.0").unwrap();
    cut.zip.truncate(cut.zip.len() / 2);
    let mut older = Release::plugin("older", "1.0").unwrap();
    older.version = "2.0".into();
    let mut other = Release::plugin("other", "1.0").unwrap();
    other.slug = "expected".into();
    let mut page = Release::plugin("page", "1.0").unwrap();
    page.zip = b"<html>Please sign in</html>".to_vec();
    for release in [cut, older, other, page] {
        let slug = release.slug.clone();
        server.add(release);
        let error = cache
            .fetch(PackageKind::Plugin, &slug, None)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{slug}: {error:?}");
    }
    assert_eq!(leftovers(&temp.path().join("cache")), 0);
    assert!(!temp.path().join("cache/objects").exists());
}

#[tokio::test]
async fn links_into_private_networks_are_not_followed() {
    let (temp, server) = (tempfile::tempdir().unwrap(), server().await);
    let cache = cache(&temp, &server);
    let elsewhere = server_elsewhere().await;
    for (slug, link) in [
        (
            "direct",
            format!("{}download/shop.1.9.0.zip", elsewhere.base_url),
        ),
        (
            "metadata",
            "http://169.254.169.254/latest/meta-data/".to_owned(),
        ),
        (
            "named",
            elsewhere.base_url.replace("127.0.0.1", "localhost"),
        ),
    ] {
        server.add(Release {
            link: Some(link),
            ..Release::plugin(slug, "1.0").unwrap()
        });
        let error = cache
            .fetch(PackageKind::Plugin, slug, None)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden, "{slug}: {error:?}");
    }
    server.add(Release {
        link: Some("file:///etc/passwd".into()),
        ..Release::plugin("file", "1.0").unwrap()
    });
    assert!(
        cache
            .fetch(PackageKind::Plugin, "file", None)
            .await
            .is_err()
    );
    assert!(elsewhere.asked().is_empty());
}

async fn server_elsewhere() -> WordPressOrg {
    WordPressOrg::start(vec![Release::plugin("shop", "1.9.0").unwrap()])
        .await
        .unwrap()
}

#[tokio::test]
async fn a_few_redirects_are_followed_and_no_more() {
    let (temp, server) = (tempfile::tempdir().unwrap(), server().await);
    let cache = cache(&temp, &server);
    for (slug, times, good) in [("few", 5, true), ("many", 6, false)] {
        let link = format!("{}redirect/{times}/{slug}.1.0.zip", server.base_url);
        server.add(Release {
            link: Some(link),
            ..Release::plugin(slug, "1.0").unwrap()
        });
        assert_eq!(
            cache.fetch(PackageKind::Plugin, slug, None).await.is_ok(),
            good,
            "{slug}"
        );
    }
}

#[tokio::test]
async fn a_source_that_is_down_hides_no_other() {
    let (temp, server) = (tempfile::tempdir().unwrap(), server().await);
    let base_url = server.base_url.parse().unwrap();
    drop(server);
    let zips = temp.path().join("zips");
    fs::create_dir(&zips).unwrap();
    fs::write(zips.join("a.zip"), Release::plugin("a", "1.0").unwrap().zip).unwrap();
    let cache = PackageCache::new(
        temp.path().join("cache"),
        vec![
            PackageSource::WordPressOrg { base_url },
            PackageSource::Directory(zips),
        ],
    );
    assert_eq!(
        cache
            .fetch(PackageKind::Plugin, "a", None)
            .await
            .unwrap()
            .version,
        "1.0"
    );
    assert_eq!(
        cache
            .fetch(PackageKind::Plugin, "b", None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Unreachable
    );
    assert_eq!(
        cache
            .offer(PackageKind::Plugin, "b", Some("1"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Unreachable
    );
}
