//! Snapshots: stored, listed, read, removed.

use crate::{
    on_both,
    stores::{Stores, key, noise, place, store, tar_zst, zip},
};
use pressroom_archive::{
    Archive, Error, Format, Listed, Page, Place, Said, SnapshotName, Streaming, quota,
};
use pressroom_base::id::{AccountId, EnvironmentId};
use pressroom_testkit::eventually;
use sha2::{Digest, Sha256};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio_util::sync::CancellationToken;

on_both! {
    a_snapshot_is_stored_and_read_back
    a_snapshot_exists_only_with_its_manifest
    a_name_is_used_once
    what_the_site_says_is_held_against_what_arrived
    too_much_leaves_nothing
    a_broken_stream_leaves_nothing
    a_cancelled_transfer_leaves_nothing
    a_dropped_transfer_leaves_nothing
    lists_have_pages
    removing_leaves_nothing_and_may_be_interrupted
    a_sweep_finds_what_the_dead_left
    usage_is_counted
}

async fn read_all(mut reader: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).await.unwrap();
    bytes
}

async fn a_snapshot_is_stored_and_read_back(stores: Stores) {
    for (id, format, bytes) in [
        ("one", Format::TarZst, tar_zst(19 << 20)),
        ("two", Format::Zip, zip(50)),
    ] {
        let told = Arc::new(AtomicU64::new(0));
        let teller = Arc::clone(&told);
        let streaming = Streaming {
            progress: Some(Arc::new(move |bytes| {
                teller.store(bytes, Ordering::Relaxed);
            })),
            limit: Some(bytes.len() as u64),
            ..Streaming::default()
        };
        let received = stores
            .archive
            .receive(&place(id), format, &bytes[..], &streaming)
            .await
            .unwrap();
        let said = Said {
            size: Some(bytes.len() as u64),
            sha256: Some(hex::encode_upper(Sha256::digest(&bytes))),
            rows: Some(77),
            url: Some("https://example.org".into()),
            more: serde_json::json!({ "entries": [1, 2] }),
            ..Said::default()
        };
        let manifest = received.commit(said.clone()).await.unwrap();
        assert_eq!(told.load(Ordering::Relaxed), bytes.len() as u64);
        assert_eq!(manifest.said, said);
        assert_eq!(manifest.size, bytes.len() as u64);
        assert_eq!(manifest.sha256, hex::encode(Sha256::digest(&bytes)));
        assert_eq!(stores.archive.manifest(&place(id)).await.unwrap(), manifest);
        let (opened, reader) = stores.archive.open(&place(id)).await.unwrap();
        assert_eq!(opened, manifest);
        assert!(read_all(reader).await == bytes);
        let (_, part) = stores
            .archive
            .read_range(&place(id), 10..u64::MAX)
            .await
            .unwrap();
        assert_eq!(part.range().clone(), 10..bytes.len() as u64);
        assert!(read_all(part).await == bytes[10..]);
        let seen = stores
            .archive
            .verify(&place(id), &Streaming::default())
            .await
            .unwrap();
        assert!(seen.is_sound(), "{:?}", seen.faults);
        assert_eq!(seen.read.sha256, manifest.sha256);
    }
    let objects = stores.objects();
    for name in ["one.tar.zst", "one.json", "two.zip", "two.json"] {
        let key = key(&format!("snapshots/4/9/{name}"));
        assert!(objects.load(&key).await.unwrap().is_some(), "{name}");
    }
}

async fn a_snapshot_exists_only_with_its_manifest(stores: Stores) {
    let bytes = tar_zst(1000);
    let received = stores
        .archive
        .receive(
            &place("x"),
            Format::TarZst,
            &bytes[..],
            &Streaming::default(),
        )
        .await
        .unwrap();
    let page = Page::first(10);
    assert_eq!(stores.archive.list_all(&page).await.unwrap(), []);
    assert!(matches!(
        stores.archive.open(&place("x")).await,
        Err(Error::NotFound(_))
    ));
    received.commit(Said::default()).await.unwrap();
    assert_eq!(stores.archive.list_all(&page).await.unwrap().len(), 1);
}

async fn a_name_is_used_once(stores: Stores) {
    let first = store(&stores.archive, "x", Format::Zip, &zip(1)).await;
    for format in Format::ALL {
        let again = stores
            .archive
            .receive(&place("x"), format, &b"other"[..], &Streaming::default())
            .await;
        assert!(matches!(again, Err(Error::Exists(_))));
    }
    assert_eq!(stores.archive.manifest(&place("x")).await.unwrap(), first);
    // Two at once: whoever commits second leaves nothing, whichever format it has.
    let zip = zip(1);
    let receive = async |format| {
        stores
            .archive
            .receive(&place("y"), format, &zip[..], &Streaming::default())
            .await
    };
    let loser = receive(Format::TarZst).await.unwrap();
    let winner = receive(Format::Zip).await.unwrap();
    assert!(matches!(receive(Format::Zip).await, Err(Error::Exists(_))));
    winner.commit(Said::default()).await.unwrap();
    assert!(matches!(
        loser.commit(Said::default()).await,
        Err(Error::Exists(_))
    ));
    let seen = stores
        .archive
        .verify(&place("y"), &Streaming::default())
        .await
        .unwrap();
    assert!(seen.is_sound(), "{:?}", seen.faults);
    let objects = stores.files();
    assert_eq!(
        objects.iter().filter(|name| name.contains("/y.")).count(),
        2,
        "{objects:?}"
    );
    let seen = stores
        .archive
        .verify(&place("x"), &Streaming::default())
        .await
        .unwrap();
    assert!(seen.is_sound());
}

async fn what_the_site_says_is_held_against_what_arrived(stores: Stores) {
    let bytes = tar_zst(1000);
    let lies = [
        Said {
            size: Some(bytes.len() as u64 + 1),
            ..Said::default()
        },
        Said {
            sha256: Some(hex::encode(Sha256::digest(b"something else"))),
            ..Said::default()
        },
    ];
    for said in lies {
        let received = stores
            .archive
            .receive(
                &place("x"),
                Format::TarZst,
                &bytes[..],
                &Streaming::default(),
            )
            .await
            .unwrap();
        assert!(matches!(
            received.commit(said).await,
            Err(Error::Differs { .. })
        ));
        stores.assert_empty().await;
    }
}

async fn too_much_leaves_nothing(stores: Stores) {
    for (limit, size) in [(1000_u64, 1001), (9 << 20, (9 << 20) + 1), (0, 0)] {
        let streaming = Streaming {
            limit: Some(limit),
            ..Streaming::default()
        };
        let bytes = noise(size, 1);
        let refused = stores
            .archive
            .receive(&place("x"), Format::Zip, &bytes[..], &streaming)
            .await;
        assert!(matches!(refused, Err(Error::OverLimit { limit: was }) if was == limit));
        stores.assert_empty().await;
    }
}

/// Gives so many bytes and then does something else.
struct Then<F>(u64, F);

impl<F: FnMut() -> Poll<std::io::Result<()>> + Unpin> AsyncRead for Then<F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.0 == 0 {
            return (self.1)();
        }
        let count = usize::try_from(self.0).unwrap().min(buffer.remaining());
        self.0 -= count as u64;
        buffer.put_slice(&noise(count, 3));
        Poll::Ready(Ok(()))
    }
}

async fn a_broken_stream_leaves_nothing(stores: Stores) {
    for size in [0, 100, 30 << 20] {
        let broken = Then(size, || {
            Poll::Ready(Err(std::io::Error::other("the agent hung up")))
        });
        let refused = stores
            .archive
            .receive(&place("x"), Format::TarZst, broken, &Streaming::default())
            .await;
        assert!(matches!(refused, Err(Error::Input(_))), "{refused:?}");
        stores.assert_empty().await;
    }
}

async fn a_cancelled_transfer_leaves_nothing(stores: Stores) {
    let cancel = CancellationToken::new();
    let canceller = cancel.clone();
    let streaming = Streaming {
        cancel,
        ..Streaming::default()
    };
    // Cancelled at a moment at which the reader has nothing to give.
    let hanging = Then(20 << 20, move || {
        canceller.cancel();
        Poll::Pending
    });
    let refused = stores
        .archive
        .receive(&place("x"), Format::TarZst, hanging, &streaming)
        .await;
    assert!(matches!(refused, Err(Error::Cancelled)), "{refused:?}");
    stores.assert_empty().await;
}

async fn a_dropped_transfer_leaves_nothing(stores: Stores) {
    let (hangs, hung) = tokio::sync::oneshot::channel();
    let mut hangs = Some(hangs);
    let hanging = Then(20 << 20, move || {
        if let Some(hangs) = hangs.take() {
            hangs.send(()).unwrap();
        }
        Poll::Pending
    });
    let archive = stores.archive.clone();
    let task = tokio::spawn(async move {
        archive
            .receive(&place("x"), Format::TarZst, hanging, &Streaming::default())
            .await
            .map(|_| ())
    });
    hung.await.unwrap();
    assert!(!stores.files().is_empty(), "something was on its way");
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    // A received archive that nobody commits goes the same way.
    let received = stores
        .archive
        .receive(&place("y"), Format::Zip, &zip(1)[..], &Streaming::default())
        .await
        .unwrap();
    drop(received);
    eventually("the store is empty", Duration::from_secs(20), || async {
        anyhow::ensure!(stores.files().is_empty(), "{:?}", stores.files());
        Ok(())
    })
    .await
    .unwrap();
    stores.assert_empty().await;
}

async fn lists_have_pages(stores: Stores) {
    let places: Vec<Place> = [
        (4, 9, "b"),
        (4, 9, "a"),
        (4, 9, "a-1"),
        (4, 10, "z"),
        (5, 1, "a"),
    ]
    .into_iter()
    .map(|(account, environment, id)| Place {
        account: AccountId::new(account),
        environment: EnvironmentId::new(environment),
        name: SnapshotName::parse(id).unwrap(),
    })
    .collect();
    let bytes = zip(1);
    for (place, format) in places.iter().zip(Format::ALL.into_iter().cycle()) {
        stores
            .archive
            .receive(place, format, &bytes[..], &Streaming::default())
            .await
            .unwrap()
            .commit(Said::default())
            .await
            .unwrap();
    }
    let archive = &stores.archive;
    let names = |listed: Vec<Listed>| -> Vec<String> {
        listed
            .into_iter()
            .map(|listed| {
                let (format, size) = listed.object.expect("each has its archive");
                assert_eq!(size, bytes.len() as u64);
                assert!(Format::ALL.contains(&format));
                format!("{}/{}", listed.place.environment, listed.place.name)
            })
            .collect()
    };
    let (four, nine) = (AccountId::new(4), EnvironmentId::new(9));
    let listed = archive.list(four, nine, &Page::first(9)).await.unwrap();
    assert_eq!(names(listed), ["9/a-1", "9/a", "9/b"]);
    let listed = archive.list_account(four, &Page::first(9)).await.unwrap();
    assert_eq!(names(listed), ["10/z", "9/a-1", "9/a", "9/b"]);
    let one = EnvironmentId::new(1);
    let listed = archive.list(four, one, &Page::first(9)).await.unwrap();
    assert_eq!(names(listed), [""; 0]);
    for limit in 1..=6 {
        let mut all = Vec::new();
        let mut page = Page::first(limit);
        loop {
            let listed = archive.list_all(&page).await.unwrap();
            assert!(listed.len() <= limit);
            let Some(last) = listed.last() else { break };
            page.after = Some(last.place.clone());
            all.extend(names(listed));
        }
        assert_eq!(
            all,
            ["10/z", "9/a-1", "9/a", "9/b", "1/a"],
            "{limit} a page"
        );
    }
}

async fn removing_leaves_nothing_and_may_be_interrupted(stores: Stores) {
    let bytes = zip(1);
    store(&stores.archive, "x", Format::Zip, &bytes).await;
    let removed = stores.archive.remove(&place("x")).await.unwrap();
    assert!(removed.manifest);
    assert_eq!(removed.bytes, bytes.len() as u64);
    stores.assert_empty().await;
    let again = stores.archive.remove(&place("x")).await.unwrap();
    assert_eq!(again, pressroom_archive::Removed::default());
    // Interrupted between the two deletions: no snapshot, and the rest can be removed.
    store(&stores.archive, "y", Format::Zip, &bytes).await;
    let manifest = place("y").manifest_key().unwrap();
    stores.objects().delete(&manifest).await.unwrap();
    assert_eq!(stores.archive.list_all(&Page::first(9)).await.unwrap(), []);
    let rest = stores.archive.remove(&place("y")).await.unwrap();
    assert!(!rest.manifest);
    assert_eq!(rest.bytes, bytes.len() as u64);
    stores.assert_empty().await;
}

async fn sweep(archive: &Archive, age: Duration) -> pressroom_archive::Sweep {
    archive.sweep(age, &CancellationToken::new()).await.unwrap()
}

async fn a_sweep_finds_what_the_dead_left(stores: Stores) {
    let archive = &stores.archive;
    let objects = stores.objects();
    store(archive, "whole", Format::Zip, &zip(1)).await;
    store(archive, "whole-2", Format::TarZst, &tar_zst(1)).await;
    // A manifest without its archive.
    store(archive, "broken", Format::Zip, &zip(1)).await;
    objects
        .delete(&place("broken").object_key(Format::Zip).unwrap())
        .await
        .unwrap();
    // An archive without a manifest, and uploads that were never finished.
    let orphan = place("orphan").object_key(Format::TarZst).unwrap();
    objects.put_new(&orphan, b"12345").await.unwrap();
    let mut dead = Vec::new();
    for number in 0..5 {
        let name = place(&format!("dead-{number}"))
            .object_key(Format::Zip)
            .unwrap();
        let mut upload = objects.upload(&name, Some(1)).await.unwrap();
        upload.write(&noise(9 << 20, 1)).await.unwrap();
        dead.push(upload);
    }
    let before = eventually("the parts are there", Duration::from_secs(20), || async {
        let files = stores.files();
        let parts = files.iter().filter(|name| name.ends_with(".part-1"));
        anyhow::ensure!(stores.cloud.is_none() || parts.count() == 5, "{files:?}");
        Ok(files)
    })
    .await
    .unwrap();
    let day = Duration::from_hours(24);
    let early = sweep(archive, day).await;
    assert_eq!(early.broken, [place("broken")]);
    assert_eq!((early.orphans, early.uploads), (vec![], 0));
    assert_eq!(stores.files(), before, "what is young is left alone");

    let found = sweep(archive, Duration::ZERO).await;
    assert_eq!(found.orphans, [orphan]);
    assert_eq!(found.bytes, 5);
    assert_eq!(found.uploads, 5);
    assert_eq!(found.failures, [""; 0]);
    for upload in dead {
        upload.abort().await;
    }
    let listed = archive.list_all(&Page::first(9)).await.unwrap();
    let left: Vec<_> = listed.iter().map(|one| one.place.name.as_str()).collect();
    assert_eq!(left, ["broken", "whole-2", "whole"]);
    assert_eq!(stores.files().len(), 5, "{:?}", stores.files());
    let again = sweep(archive, Duration::ZERO).await;
    assert_eq!((again.orphans, again.uploads), (vec![], 0));
}

async fn usage_is_counted(stores: Stores) {
    let bytes = zip(3);
    store(&stores.archive, "a", Format::Zip, &bytes).await;
    store(&stores.archive, "b", Format::Zip, &bytes).await;
    let used = quota::usage(&stores.archive, AccountId::new(4))
        .await
        .unwrap();
    assert_eq!(used.objects, 4);
    assert!(used.bytes > 2 * bytes.len() as u64);
    assert!(used.bytes < 2 * bytes.len() as u64 + 4000);
    let other = quota::usage(&stores.archive, AccountId::new(40))
        .await
        .unwrap();
    assert_eq!(other, quota::Usage::default());
}
