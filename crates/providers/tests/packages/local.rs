//! Packages from this machine: a directory of zips, the distribution's WordPress.

use crate::{leftovers, names, text};
use pressroom_base::Kind;
use pressroom_providers::packages::{Error, PackageCache, PackageKind, PackageSource, Standing};
use pressroom_testkit::wordpress_org::{Release, zip_of};
use std::{fs, path::Path};
use tempfile::TempDir;

fn cache(temp: &TempDir) -> PackageCache {
    fs::create_dir_all(temp.path().join("zips")).unwrap();
    PackageCache::new(
        temp.path().join("cache"),
        vec![PackageSource::Directory(temp.path().join("zips"))],
    )
}

fn put(temp: &TempDir, name: &str, zip: &[u8]) {
    fs::write(temp.path().join("zips").join(name), zip).unwrap();
}

#[tokio::test]
async fn zips_are_known_by_what_is_inside() {
    let temp = tempfile::tempdir().unwrap();
    let cache = cache(&temp);
    put(
        &temp,
        "whatever.zip",
        &Release::plugin("shop", "1.9.0").unwrap().zip,
    );
    put(
        &temp,
        "shop.1.10.0.zip",
        &Release::plugin("shop", "1.10.0").unwrap().zip,
    );
    put(
        &temp,
        "theme-1.zip",
        &Release::theme("paper", "2.0").unwrap().zip,
    );
    put(&temp, "wp-6.5.zip", &Release::core("6.5.5").unwrap().zip);
    put(
        &temp,
        "wordpress-6.4.zip",
        &Release::core("6.4.5").unwrap().zip,
    );
    put(&temp, "broken.zip", b"PK no");
    put(&temp, "notes.txt", b"x");

    assert_eq!(cache.core_versions().await.unwrap(), ["6.5.5", "6.4.5"]);
    let offer = cache
        .offer(PackageKind::Plugin, "shop", Some("1.9.0"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(offer.version, "1.10.0", "versions are compared as PHP does");
    assert_eq!(
        cache
            .offer(PackageKind::Plugin, "shop", Some("1.10.0"))
            .await
            .unwrap(),
        None
    );
    let standing = async |slug: &str, installed: &str| {
        let standing = cache.standing(PackageKind::Plugin, slug, Some(installed));
        standing.await.unwrap()
    };
    assert!(matches!(
        standing("shop", "1.9.0").await,
        Standing::Older(_)
    ));
    assert_eq!(standing("shop", "1.10.0").await, Standing::Newest);
    assert_eq!(
        standing("nothing", "1.0").await,
        Standing::Unknown,
        "what no source has is not up to date"
    );
    assert_eq!(
        cache
            .offer(PackageKind::Plugin, "nothing", None)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        cache
            .offer(PackageKind::Theme, "paper", Some("1.0"))
            .await
            .unwrap()
            .unwrap()
            .version,
        "2.0"
    );

    let package = cache
        .fetch(PackageKind::Plugin, "shop", Some("1.9.0"))
        .await
        .unwrap();
    assert_eq!(
        (package.version.as_str(), names(&package)),
        ("1.9.0", vec!["shop/shop.php".to_owned()])
    );
    assert_eq!(
        package.path.file_stem().unwrap().to_str(),
        Some(package.sha256.as_str())
    );
    assert_eq!(package.size, fs::metadata(&package.path).unwrap().len());
    assert_eq!(
        cache
            .fetch(PackageKind::Plugin, "shop", None)
            .await
            .unwrap()
            .version,
        "1.10.0"
    );
    assert_eq!(cache.core(None, "en_US").await.unwrap().version, "6.5.5");
    let german = cache.core(Some("6.4"), "de_DE").await.unwrap();
    assert_eq!(
        (german.version.as_str(), german.locale.as_str()),
        ("6.4.5", "en_US")
    );

    let error = cache.core(Some("6.3"), "en_US").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (
            Kind::NotFound,
            "no package source has core `wordpress` 6.3".into()
        )
    );
    for bad in ["../x", "a/b", ""] {
        assert_eq!(
            cache
                .fetch(PackageKind::Plugin, bad, None)
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid
        );
    }
    assert_eq!(leftovers(&temp.path().join("cache")), 0);
}

#[tokio::test]
async fn a_new_or_replaced_zip_is_seen_at_once() {
    let temp = tempfile::tempdir().unwrap();
    let cache = cache(&temp);
    put(&temp, "a.zip", &Release::plugin("a", "1.0").unwrap().zip);
    let first = cache
        .fetch(PackageKind::Plugin, "a", Some("1.0"))
        .await
        .unwrap();
    put(&temp, "a2.zip", &Release::plugin("a", "2.0").unwrap().zip);
    assert_eq!(
        cache
            .fetch(PackageKind::Plugin, "a", None)
            .await
            .unwrap()
            .version,
        "2.0"
    );

    let main = "<?php\n/* Plugin Name: a\nVersion: 1.0 */\n// changed\n";
    put(
        &temp,
        "a.zip",
        &zip_of(&[("a/a.php".into(), main.into())]).unwrap(),
    );
    let second = cache
        .fetch(PackageKind::Plugin, "a", Some("1.0"))
        .await
        .unwrap();
    assert_ne!(first.sha256, second.sha256);
    assert!(text(&second, "a/a.php").contains("changed"));
    assert!(first.path.exists(), "a package that was handed out stays");
    fs::remove_file(temp.path().join("zips/a2.zip")).unwrap();
    assert_eq!(
        cache
            .fetch(PackageKind::Plugin, "a", None)
            .await
            .unwrap()
            .version,
        "1.0"
    );
}

#[tokio::test]
async fn damaged_packages_are_refused() {
    let temp = tempfile::tempdir().unwrap();
    let cache = cache(&temp);
    let header =
        |slug: &str| format!("<?php\n/* Plugin Name: {slug}\nVersion: 1.0 */\n").into_bytes();

    let mut flipped = zip_of(&[
        ("flip/flip.php".into(), header("flip")),
        ("flip/data".into(), vec![7; 4000]),
    ])
    .unwrap();
    let at = flipped
        .windows(9)
        .position(|window| window == b"flip/data")
        .unwrap()
        + 12;
    flipped[at] ^= 0xff;
    put(&temp, "flip.zip", &flipped);
    put(
        &temp,
        "climb.zip",
        &zip_of(&[
            ("climb/climb.php".into(), header("climb")),
            ("climb/../../evil".into(), vec![1]),
        ])
        .unwrap(),
    );
    put(
        &temp,
        "back.zip",
        &zip_of(&[
            ("back/back.php".into(), header("back")),
            ("back/a\\..\\b".into(), vec![1]),
        ])
        .unwrap(),
    );
    for slug in ["flip", "climb", "back"] {
        let error = cache
            .fetch(PackageKind::Plugin, slug, None)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{slug}: {error:?}");
        assert_eq!(error.kind(), Kind::Remote);
    }
    assert_eq!(leftovers(&temp.path().join("cache")), 0);
    assert!(!temp.path().join("cache/objects").exists());
}

#[tokio::test]
async fn builds_with_a_ready_configuration_are_brought_into_shape() {
    let temp = tempfile::tempdir().unwrap();
    let cache = cache(&temp);
    // As the npm builds are: no folder, all on one line, somebody's configuration.
    let flat = zip_of(&[
        (
            "wp-includes/version.php".into(),
            b"<?php $wp_version = '6.5.5'; $wp_db_version = 57155;".to_vec(),
        ),
        ("index.php".into(), b"<?php".to_vec()),
        (
            "wp-config.php".into(),
            b"<?php define('DB_NAME', 'x');".to_vec(),
        ),
        ("wp-content/database/.ht.sqlite".into(), vec![0; 10]),
        ("wp-content/index.php".into(), b"<?php".to_vec()),
    ])
    .unwrap();
    put(&temp, "wordpress-6.5.zip", &flat);
    let package = cache.core(Some("6.5.5"), "en_US").await.unwrap();
    assert_eq!(
        names(&package),
        [
            "wordpress/index.php",
            "wordpress/wp-content/index.php",
            "wordpress/wp-includes/version.php"
        ]
    );
    assert_eq!(text(&package, "wordpress/index.php"), "<?php");
}

#[tokio::test]
async fn many_at_once_get_one_package() {
    let temp = tempfile::tempdir().unwrap();
    let cache = cache(&temp);
    put(&temp, "a.zip", &Release::plugin("a", "1.0").unwrap().zip);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { cache.fetch(PackageKind::Plugin, "a", None).await.unwrap() })
        })
        .collect();
    let mut packages = Vec::new();
    for task in tasks {
        packages.push(task.await.unwrap());
    }
    packages.dedup();
    assert_eq!(packages.len(), 1);
    assert_eq!(count(&temp.path().join("cache/objects")), 1);
}

#[tokio::test]
async fn the_distributions_wordpress_is_packed_without_links() {
    let source = Path::new("/usr/share/wordpress");
    assert!(
        source.join("wp-includes/version.php").exists(),
        "install Debian's `wordpress` package"
    );
    let temp = tempfile::tempdir().unwrap();
    let cache = PackageCache::new(
        temp.path().join("cache"),
        vec![
            PackageSource::Directory(temp.path().join("absent")),
            PackageSource::DistributionWordPress(source.to_owned()),
        ],
    );
    let versions = cache.core_versions().await.unwrap();
    assert!(
        versions.len() == 1 && versions[0].starts_with("6.1"),
        "{versions:?}"
    );
    let package = cache.core(None, "en_US").await.unwrap();
    let names = names(&package);
    assert!(names.len() > 1000 && names.iter().all(|name| name.starts_with("wordpress/")));
    for absent in ["wordpress/wp-config.php", "wordpress/.htaccess"] {
        assert!(!names.iter().any(|name| name == absent), "{absent}");
    }
    assert!(
        names
            .iter()
            .any(|name| name == "wordpress/wp-config-sample.php")
    );
    // A link out of the tree on Debian.
    assert!(
        text(&package, "wordpress/wp-includes/certificates/ca-bundle.crt")
            .contains("BEGIN CERTIFICATE")
    );
    let again = cache.core(None, "en_US").await.unwrap();
    assert_eq!(package, again);
}

fn count(dir: &Path) -> usize {
    fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|entry| fs::read_dir(entry.path()).unwrap().count())
        .sum()
}
