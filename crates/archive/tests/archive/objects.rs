//! The store beneath.

use crate::{
    on_both,
    stores::{Stores, key, noise},
};
use futures_util::TryStreamExt;
use pressroom_archive::{Error, Objects};
use pressroom_base::Timestamp;
use sha2::{Digest, Sha256};
use std::{os::unix::fs::PermissionsExt, time::Duration};
use tokio::io::AsyncReadExt;

on_both! {
    what_was_written_is_read
    ranges_are_cut_where_the_object_ends
    nothing_is_overwritten
    what_is_not_finished_is_not_there
    lists_are_in_order_and_begin_anywhere
    deleting_twice_does_no_harm
    a_store_can_be_checked
}

async fn read(objects: &Objects, name: &str, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let mut reader = objects.open(&key(name), range).await.unwrap();
    let announced = reader.range().end - reader.range().start;
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes.len() as u64, announced);
    bytes
}

/// Sizes around those of buffers, parts and chunks, in writes of odd sizes.
async fn what_was_written_is_read(stores: Stores) {
    let mib = 1 << 20;
    for size in [0, 1, mib, 8 * mib - 1, 8 * mib, 8 * mib + 1, 25 * mib + 3] {
        let name = format!("snapshots/{size}");
        let bytes = noise(size, size as u64);
        let mut upload = stores
            .objects()
            .upload(&key(&name), Some(size as u64))
            .await
            .unwrap();
        for piece in bytes.chunks(700_001) {
            upload.write(piece).await.unwrap();
        }
        let done = upload.finish().await.unwrap();
        assert_eq!(done.size, size as u64);
        assert_eq!(done.sha256, hex::encode(Sha256::digest(&bytes)));
        assert!(read(stores.objects(), &name, None).await == bytes, "{size}");
        let info = stores.objects().load(&key(&name)).await.unwrap().unwrap();
        assert_eq!(info.size, size as u64);
        let age = Timestamp::now().millis() - info.modified.millis();
        assert!((-2_000..60_000).contains(&age), "written {age} ms ago");
        stores.objects().delete(&key(&name)).await.unwrap();
    }
    stores.assert_empty().await;
}

async fn ranges_are_cut_where_the_object_ends(stores: Stores) {
    let bytes = noise(20 << 20, 1);
    let mut upload = stores.objects().upload(&key("a/b"), None).await.unwrap();
    upload.write(&bytes).await.unwrap();
    upload.finish().await.unwrap();
    let size = bytes.len();
    for (from, to) in [
        (0, 1),
        (5, 5),
        (8 << 20, 17 << 20),
        (size - 1, size + 9),
        (size, size + 1),
    ] {
        let got = read(stores.objects(), "a/b", Some(from as u64..to as u64)).await;
        assert!(got == bytes[from.min(size)..to.min(size)], "{from}..{to}");
    }
    assert!(matches!(
        stores.objects().open(&key("a/c"), None).await,
        Err(Error::NotFound(_))
    ));
}

async fn nothing_is_overwritten(stores: Stores) {
    let objects = stores.objects();
    objects.put_new(&key("a/b"), b"first").await.unwrap();
    assert!(matches!(
        objects.put_new(&key("a/b"), b"second").await,
        Err(Error::Exists(_))
    ));
    // Two long uploads: the one that finishes first is the object.
    let (mut one, mut two) = (
        objects.upload(&key("a/c"), Some(1)).await.unwrap(),
        objects.upload(&key("a/c"), Some(1)).await.unwrap(),
    );
    one.write(&noise(9 << 20, 1)).await.unwrap();
    two.write(&noise(9 << 20, 2)).await.unwrap();
    two.finish().await.unwrap();
    assert!(matches!(one.finish().await, Err(Error::Exists(_))));
    assert_eq!(read(objects, "a/b", None).await, b"first");
    assert!(read(objects, "a/c", None).await == noise(9 << 20, 2));
    let later = Timestamp::now().plus(Duration::from_mins(1));
    assert_eq!(objects.unfinished(later).await.unwrap(), []);
    assert_eq!(stores.files().len(), 2, "{:?}", stores.files());
}

async fn what_is_not_finished_is_not_there(stores: Stores) {
    let objects = stores.objects();
    let mut upload = objects.upload(&key("snapshots/x"), Some(1)).await.unwrap();
    upload.write(&noise(9 << 20, 1)).await.unwrap();
    assert_eq!(objects.load(&key("snapshots/x")).await.unwrap(), None);
    let listed: Vec<_> = objects
        .list(&key("snapshots"), None)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(listed, []);
    // What is under way can be found, and is not taken for old.
    let hour = Duration::from_hours(1);
    let now = Timestamp::now();
    assert_eq!(objects.unfinished(now.plus(hour)).await.unwrap().len(), 1);
    assert_eq!(objects.unfinished(now.minus(hour)).await.unwrap(), []);
    upload.abort().await;
    stores.assert_empty().await;
}

async fn lists_are_in_order_and_begin_anywhere(stores: Stores) {
    let objects = stores.objects();
    let names = [
        "a/1/b.zip",
        "a/1/b-c.json",
        "a/1/b.json",
        "a/10/x",
        "a/2/x",
        "ab/1",
        "a/1/z",
        "a/0",
    ];
    for name in names {
        objects.put_new(&key(name), b"x").await.unwrap();
    }
    // What others put there is not ours.
    let foreign = stores.file(&key("a/1/foreign")).with_file_name("not ours");
    std::fs::write(foreign, b"x").unwrap();
    let list = async |below: &str, after: Option<&str>| {
        let after = after.map(key);
        let found: Vec<_> = objects
            .list(&key(below), after.as_ref())
            .await
            .unwrap()
            .map_ok(|object| object.key.to_string())
            .try_collect()
            .await
            .unwrap();
        found
    };
    let all = [
        "a/0",
        "a/1/b-c.json",
        "a/1/b.json",
        "a/1/b.zip",
        "a/1/z",
        "a/10/x",
        "a/2/x",
    ];
    assert_eq!(list("a", None).await, all);
    for (place, name) in all.iter().enumerate() {
        assert_eq!(list("a", Some(name)).await, all[place + 1..]);
    }
    assert_eq!(list("a/1", None).await, all[1..5]);
    assert_eq!(list("a/1", Some("a/1/bb")).await, ["a/1/z"]);
    assert_eq!(list("nothing", None).await, [""; 0]);
}

async fn deleting_twice_does_no_harm(stores: Stores) {
    let objects = stores.objects();
    objects.put_new(&key("snapshots/b"), b"x").await.unwrap();
    objects.delete(&key("snapshots/b")).await.unwrap();
    objects.delete(&key("snapshots/b")).await.unwrap();
    assert_eq!(objects.load(&key("snapshots/b")).await.unwrap(), None);
    stores.assert_empty().await;
}

async fn a_store_can_be_checked(stores: Stores) {
    stores.objects().check().await.unwrap();
    stores.assert_empty().await;
}

#[tokio::test]
async fn a_directory_is_its_owners_alone() {
    let scratch = pressroom_testkit::Scratch::new().unwrap();
    let path = scratch.path().join("one/two");
    std::fs::create_dir_all(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    for path in [&path, &scratch.path().join("new")] {
        Objects::directory(path).unwrap();
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", path.display());
    }
    assert!(Objects::directory("relative").is_err());
    std::fs::write(scratch.path().join("file"), b"").unwrap();
    assert!(Objects::directory(scratch.path().join("file")).is_err());
}

/// On a directory this is decided by the kernel, so it can be tried hard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_wins() {
    let stores = Stores::directory();
    for round in 0..10 {
        let name = key(&format!("race/{round}"));
        let tries = (0..8_u8).map(|number| {
            let (objects, name) = (stores.objects().clone(), name.clone());
            tokio::spawn(async move { (number, objects.put_new(&name, &[number]).await) })
        });
        let mut winners = Vec::new();
        for done in tries.collect::<Vec<_>>() {
            match done.await.unwrap() {
                (number, Ok(())) => winners.push(number),
                (_, Err(Error::Exists(_))) => {}
                (_, Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(
            stores.objects().read_small(&name, 9).await.unwrap(),
            winners
        );
    }
    assert_eq!(stores.files().len(), 10);
}
