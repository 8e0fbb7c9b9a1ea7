//! What only a service can do, or do differently.

use crate::{
    cloud::Cloud,
    stores::{Stores, config, key, noise, place, store, tar_zst, zip},
};
use pressroom_archive::{Archive, Error, Format, Objects, Page, S3Config, Streaming};
use pressroom_base::{Kind, Secret};
use std::{sync::atomic::Ordering, time::Duration};

fn cloud(stores: &Stores) -> &Cloud {
    stores.cloud.as_ref().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_refused_and_said_so() {
    let stores = Stores::s3().await;
    let wrong = S3Config {
        secret: Secret::new("another".into()),
        ..config(cloud(&stores).address)
    };
    let objects = Objects::s3(wrong).unwrap();
    for error in [
        objects.check().await.unwrap_err(),
        objects.load(&key("a/b")).await.unwrap_err(),
        objects
            .put_new(&key("a/b"), &noise(20 << 20, 1))
            .await
            .unwrap_err(),
    ] {
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        assert_eq!(error.kind(), Kind::Remote);
        assert!(!format!("{error:?}").contains("another"));
    }
    stores.assert_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_said_so() {
    let gone = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let objects = Objects::s3(S3Config {
        retries: 1,
        ..config(address)
    })
    .unwrap();
    for error in [
        objects.load(&key("a/b")).await.unwrap_err(),
        objects.put_new(&key("a/b"), b"x").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Unreachable, "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prefixes_of_one_bucket_do_not_meet() {
    let stores = Stores::s3().await;
    let below = |prefix: &str| {
        let config = S3Config {
            prefix: Some(prefix.into()),
            ..config(cloud(&stores).address)
        };
        Archive::new(Objects::s3(config).unwrap())
    };
    let (one, ten) = (below("fleet/1"), below("fleet/10"));
    store(&one, "x", Format::Zip, &zip(1)).await;
    assert_eq!(ten.list_all(&Page::first(9)).await.unwrap(), []);
    assert_eq!(stores.archive.list_all(&Page::first(9)).await.unwrap(), []);
    assert!(cloud(&stores).file("fleet/1/snapshots/4/9/x.json").exists());
    // Nor does the sweep of one take the other's uploads.
    let mut upload = ten
        .objects()
        .upload(&key("snapshots/4/9/y.zip"), Some(1))
        .await
        .unwrap();
    upload.write(&noise(9 << 20, 1)).await.unwrap();
    let cancel = tokio_util::sync::CancellationToken::new();
    let swept = one.sweep(Duration::ZERO, &cancel).await.unwrap();
    assert_eq!((swept.orphans.len(), swept.uploads), (0, 0));
    let swept = ten.sweep(Duration::ZERO, &cancel).await.unwrap();
    assert_eq!(swept.uploads, 1);
    assert!(
        one.verify(&place("x"), &Streaming::default())
            .await
            .unwrap()
            .is_sound()
    );
    upload.abort().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_of_the_store_lets_fetch_one_object() {
    let stores = Stores::s3().await;
    let bytes = tar_zst(100_000);
    store(&stores.archive, "x", Format::TarZst, &bytes).await;
    let object = place("x").object_key(Format::TarZst).unwrap();
    let name = key("site.tar.zst");
    let minute = Duration::from_mins(1);
    let url = stores
        .objects()
        .url(&object, minute, &name)
        .await
        .unwrap()
        .unwrap();
    let fetched = reqwest::get(url.clone()).await.unwrap();
    assert_eq!(fetched.status(), 200);
    assert_eq!(
        fetched.headers()["content-disposition"],
        "attachment; filename=\"site.tar.zst\""
    );
    assert!(fetched.bytes().await.unwrap() == bytes);
    // Neither another object, nor another name, nor another act.
    let mut other = url.clone();
    other.set_path(&url.path().replace("x.tar.zst", "x.json"));
    let renamed = url.as_str().replace("site.tar.zst", "shell.php");
    for forged in [other.as_str(), &renamed] {
        assert_eq!(
            reqwest::get(forged).await.unwrap().status(),
            403,
            "{forged}"
        );
    }
    let deleted = reqwest::Client::new().delete(url).send().await.unwrap();
    assert_eq!(deleted.status(), 403);
    let short = Duration::from_secs(1);
    let url = stores
        .objects()
        .url(&object, short, &name)
        .await
        .unwrap()
        .unwrap();
    pressroom_testkit::eventually("it expires", Duration::from_secs(10), || async {
        let status = reqwest::get(url.clone()).await?.status();
        anyhow::ensure!(status == 403, "still {status}");
        Ok(())
    })
    .await
    .unwrap();
    let directory = Stores::directory();
    let none = directory
        .objects()
        .url(&object, minute, &name)
        .await
        .unwrap();
    assert_eq!(none, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_objects_are_made_on_condition() {
    let stores = Stores::s3().await;
    store(&stores.archive, "x", Format::TarZst, &tar_zst(20 << 20)).await;
    let count = &cloud(&stores).behaviour.conditional_completions;
    assert_eq!(count.load(Ordering::Relaxed), 1);
    assert_eq!(cloud(&stores).leftovers(), [""; 0]);
}

/// Then it is looked at before, which is the best that can be had there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_without_conditions_is_looked_at_first() {
    let stores = Stores::s3().await;
    cloud(&stores)
        .behaviour
        .knows_no_conditions
        .store(true, Ordering::Relaxed);
    for size in [10, 20 << 20] {
        let name = key(&format!("a/{size}"));
        stores
            .objects()
            .put_new(&name, &noise(size, 1))
            .await
            .unwrap();
        let again = stores.objects().put_new(&name, &noise(size, 2)).await;
        assert!(matches!(again, Err(Error::Exists(_))), "{again:?}");
        let kept = stores.objects().read_small(&name, 30 << 20).await.unwrap();
        assert!(kept == noise(size, 1));
    }
    assert_eq!(cloud(&stores).leftovers(), [""; 0]);
}

/// Whether an act whose answer was lost happened is found out by looking.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_no_failure_and_no_false_success() {
    let stores = Stores::s3().await;
    let lost = &cloud(&stores).behaviour.lost_answers;
    for size in [10, 20 << 20] {
        let name = key(&format!("a/{size}"));
        // More answers are lost than are waited for.
        for answers in [1, 2] {
            lost.store(answers, Ordering::Relaxed);
            let bytes = noise(size, 1);
            stores.objects().put_new(&name, &bytes).await.unwrap();
            lost.store(0, Ordering::Relaxed);
            assert!(stores.objects().read_small(&name, 30 << 20).await.unwrap() == bytes);
            assert_eq!(cloud(&stores).leftovers(), [""; 0]);
            if answers == 1 {
                stores.objects().delete(&name).await.unwrap();
            }
        }
        // Somebody else's object is there: that is no success of ours.
        let other = stores.objects().put_new(&name, &noise(size, 2)).await;
        assert!(matches!(other, Err(Error::Exists(_))), "{other:?}");
    }
}
