//! Cut connections and full disks.

use crate::{
    cloud::Cloud,
    stores::{Stores, config, noise, place, store, tar_zst},
    wire::Wire,
};
use pressroom_archive::{Archive, Error, Format, Objects, S3Config, Said, Streaming};
use pressroom_base::Kind;
use pressroom_testkit::{Scratch, mount::SmallDisk};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

/// A store behind a wire, beside one that reaches the same server directly.
async fn wired(retries: usize) -> (Stores, Archive, Wire) {
    let stores = Stores::s3().await;
    let cloud: &Cloud = stores.cloud.as_ref().unwrap();
    let wire = Wire::to(cloud.address).await;
    let config = S3Config {
        retries,
        ..config(wire.address)
    };
    (stores, Archive::new(Objects::s3(config).unwrap()), wire)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_cut_off_fails_and_is_swept() {
    let (stores, archive, wire) = wired(1).await;
    wire.cut_after(30 << 20);
    let bytes = noise(100 << 20, 1);
    let failed = archive
        .receive(
            &place("x"),
            Format::TarZst,
            &bytes[..],
            &Streaming::default(),
        )
        .await
        .unwrap_err();
    assert_eq!(failed.kind(), Kind::Unreachable, "{failed:?}");
    assert!(wire.cuts() > 1, "it was tried again");
    // Nothing is to be seen; what could not be given back over the cut wire is found.
    wire.mend();
    assert!(matches!(
        archive.open(&place("x")).await,
        Err(Error::NotFound(_))
    ));
    let swept = archive
        .sweep(Duration::ZERO, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(swept.uploads, 1);
    stores.assert_empty().await;
    // And it can be done again under the same name.
    store(&archive, "x", Format::TarZst, &tar_zst(20 << 20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_outlives_a_connection() {
    let (stores, archive, wire) = wired(8).await;
    let mending = wire.clone();
    wire.cut_after(30 << 20);
    let task = tokio::spawn(async move {
        let bytes = tar_zst(60 << 20);
        archive
            .receive(
                &place("x"),
                Format::TarZst,
                &bytes[..],
                &Streaming::default(),
            )
            .await
            .unwrap()
            .commit(Said::default())
            .await
            .unwrap();
        archive
    });
    pressroom_testkit::eventually("the wire is cut", Duration::from_mins(1), || async {
        anyhow::ensure!(mending.cuts() > 0, "it holds");
        Ok(())
    })
    .await
    .unwrap();
    mending.mend();
    let archive = task.await.unwrap();
    let seen = archive
        .verify(&place("x"), &Streaming::default())
        .await
        .unwrap();
    assert!(seen.is_sound(), "{:?}", seen.faults);
    assert_eq!(stores.cloud.as_ref().unwrap().leftovers(), [""; 0]);
}

/// A restore must never take the end of a connection for the end of the archive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_that_is_cut_off_is_an_error_and_no_end() {
    let (stores, archive, wire) = wired(1).await;
    let bytes = tar_zst(60 << 20);
    store(&stores.archive, "x", Format::TarZst, &bytes).await;
    let (_, mut reader) = archive.open(&place("x")).await.unwrap();
    wire.cut_after(20 << 20);
    let mut read = Vec::new();
    reader.read_to_end(&mut read).await.unwrap_err();
    assert!(read.len() < bytes.len());
    assert!(bytes.starts_with(&read));
    let verified = archive.verify(&place("x"), &Streaming::default()).await;
    assert_eq!(verified.unwrap_err().kind(), Kind::Unreachable);
    wire.mend();
    let seen = archive
        .verify(&place("x"), &Streaming::default())
        .await
        .unwrap();
    assert!(seen.is_sound());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_so_and_left_as_it_was() {
    let scratch = Scratch::new().unwrap();
    let disk = SmallDisk::mount(&scratch.path().join("disk"), 8).unwrap();
    let root = scratch.path().join("disk/archive");
    let archive = Archive::new(Objects::directory(&root).unwrap());
    let small = tar_zst(3 << 20);
    store(&archive, "kept", Format::TarZst, &small).await;
    let large = noise(20 << 20, 1);
    let failed = archive
        .receive(
            &place("x"),
            Format::TarZst,
            &large[..],
            &Streaming::default(),
        )
        .await
        .unwrap_err();
    assert!(matches!(failed, Error::Full), "{failed:?}");
    assert_eq!(failed.kind(), Kind::Limited);
    // The space is free again, for something that fits.
    store(&archive, "y", Format::TarZst, &small).await;
    archive.remove(&place("y")).await.unwrap();
    // Full to the last byte: not even the manifest fits.
    let received = archive
        .receive(
            &place("z"),
            Format::TarZst,
            &small[..],
            &Streaming::default(),
        )
        .await
        .unwrap();
    let filler = disk.fill().unwrap();
    let failed = received.commit(Said::default()).await.unwrap_err();
    assert!(matches!(failed, Error::Full), "{failed:?}");
    std::fs::remove_file(filler).unwrap();
    assert!(matches!(
        archive.open(&place("z")).await,
        Err(Error::NotFound(_))
    ));
    let swept = archive
        .sweep(Duration::ZERO, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(
        (swept.orphans.len(), swept.uploads),
        (0, 0),
        "nothing was left"
    );
    let seen = archive
        .verify(&place("kept"), &Streaming::default())
        .await
        .unwrap();
    assert!(seen.is_sound());
}
