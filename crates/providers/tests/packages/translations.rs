//! Language packs from a server that speaks wordpress.org's API.

use crate::leftovers;
use pressroom_base::Kind;
use pressroom_providers::packages::{Error, PackageCache, PackageSource, TranslationOffer};
use pressroom_testkit::wordpress_org::{Translation, WordPressOrg, zip_of};
use std::fs;
use tempfile::TempDir;

fn cache(temp: &TempDir, server: &WordPressOrg) -> PackageCache {
    let directory = PackageSource::Directory(temp.path().join("packages"));
    let base_url = server.base_url.parse().unwrap();
    let org = PackageSource::WordPressOrg { base_url };
    PackageCache::new(temp.path().join("cache"), vec![directory, org])
}

fn german(updated: &str) -> Translation {
    Translation::core("de_DE", "6.5", updated, &[("Yes", "Ja")]).unwrap()
}

async fn only(cache: &PackageCache) -> TranslationOffer {
    let mut offers = cache.core_translations("6.5.5").await.unwrap();
    assert_eq!(offers.len(), 1);
    offers.remove(0)
}

#[tokio::test]
async fn packs_are_offered_by_version_and_language_and_fetched_once() {
    let server = WordPressOrg::start(Vec::new()).await.unwrap();
    let temp = tempfile::tempdir().unwrap();
    let cache = cache(&temp, &server);
    assert!(cache.core_translations("6.5.5").await.unwrap().is_empty());
    server.translate(german("2024-04-02 20:12:41"));
    assert!(cache.core_translations("6.4.5").await.unwrap().is_empty());
    let offer = only(&cache).await;
    assert_eq!((&*offer.locale, &*offer.version), ("de_DE", "6.5"));
    for (revision, is_newer) in [
        (Some("2024-04-02 20:12:40+0000"), true),
        (Some("2024-04-02 20:12:41+0000"), false),
        (Some("2024-04-02 21:12:40+0100"), true),
        (Some("2024-05-01 00:00+0000"), false),
        (Some("YEAR-MO-DA HO:MI+ZONE"), true),
        (None, true),
    ] {
        assert_eq!(offer.is_newer_than(revision), is_newer, "{revision:?}");
    }
    let pack = cache.fetch_translation(&offer).await.unwrap();
    assert_eq!(
        fs::read(&pack.path).unwrap(),
        german("2024-04-02 20:12:41").zip
    );
    assert_eq!(pack.size, fs::metadata(&pack.path).unwrap().len());
    let again = cache.fetch_translation(&only(&cache).await).await.unwrap();
    assert_eq!(again, pack);
    let downloads = || {
        let asked = server.asked();
        asked
            .iter()
            .filter(|it| it.starts_with("/translation/"))
            .count()
    };
    assert_eq!(downloads(), 1);
    // Under the same address there is another by now.
    server.translate(german("2024-06-01 00:00:00"));
    let newer = cache.fetch_translation(&only(&cache).await).await.unwrap();
    assert_ne!(newer.sha256, pack.sha256);
    assert_eq!(downloads(), 2);
    assert_eq!(leftovers(&temp.path().join("cache")), 0);
}

#[tokio::test]
async fn what_is_no_pack_is_not_kept() {
    let server = WordPressOrg::start(Vec::new()).await.unwrap();
    let temp = tempfile::tempdir().unwrap();
    let cache = cache(&temp, &server);
    for name in ["../x.php", "sub/de_DE.mo", ".htaccess", "a\\b.mo"] {
        let mut bad = german("2024-04-02 20:12:41");
        bad.zip = zip_of(&[(name.into(), b"x".to_vec())]).unwrap();
        server.translate(bad);
        let refused = cache.fetch_translation(&only(&cache).await).await;
        let is_damaged = matches!(&refused, Err(Error::Damaged { .. }));
        assert!(is_damaged, "{name}: {refused:?}");
    }
    let mut bad = german("2024-04-02 20:12:41");
    bad.zip = b"<html>".to_vec();
    server.translate(bad);
    let refused = cache.fetch_translation(&only(&cache).await).await;
    assert!(matches!(refused, Err(Error::Damaged { .. })));
    // A link to a private network is not followed.
    let mut bad = german("2024-04-02 20:12:41");
    bad.link = Some("http://169.254.169.254/de_DE.zip".into());
    server.translate(bad);
    let refused = cache.fetch_translation(&only(&cache).await).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Forbidden);
    assert_eq!(leftovers(&temp.path().join("cache")), 0);
    let objects = temp.path().join("cache/objects");
    assert_eq!(fs::read_dir(objects).map_or(0, Iterator::count), 0);
}

#[tokio::test]
async fn a_directory_has_none_and_a_source_that_is_away_says_so() {
    let temp = tempfile::tempdir().unwrap();
    let packages = PackageSource::Directory(temp.path().to_owned());
    let cache = PackageCache::new(temp.path().join("cache"), vec![packages]);
    assert!(cache.core_translations("6.5.5").await.unwrap().is_empty());
    assert!(matches!(
        cache.core_translations("../6").await,
        Err(Error::BadName { .. })
    ));
    let base_url = "http://127.0.0.1:9/".parse().unwrap();
    let away = PackageSource::WordPressOrg { base_url };
    let cache = PackageCache::new(temp.path().join("cache"), vec![away]);
    let error = cache.core_translations("6.5.5").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}
