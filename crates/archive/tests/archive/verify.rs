//! Damage is found by reading back.

use crate::{
    on_both,
    stores::{Stores, place, store, tar_zst, zip},
};
use pressroom_archive::{Error, Format, Streaming, Verification};
use std::{fs, os::unix::fs::FileExt};
use tokio_util::sync::CancellationToken;

on_both! {
    a_flipped_bit_is_found_wherever_it_is
    a_cut_archive_is_found
    a_missing_archive_is_found
    an_archive_that_never_was_whole_is_found
    a_bomb_ends_at_its_limit
    verifying_can_be_cancelled
    a_manifest_that_makes_no_sense_is_an_error
}

async fn verify(stores: &Stores) -> Verification {
    stores
        .archive
        .verify(&place("x"), &Streaming::default())
        .await
        .unwrap()
}

async fn a_flipped_bit_is_found_wherever_it_is(stores: Stores) {
    for (format, bytes) in [
        (Format::TarZst, tar_zst(12 << 20)),
        (Format::Zip, zip(2000)),
    ] {
        let manifest = store(&stores.archive, "x", format, &bytes).await;
        let file = stores.file(&place("x").object_key(format).unwrap());
        for at in [0, 1, manifest.size / 2, manifest.size - 1] {
            let file = fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open(&file)
                .unwrap();
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 16], at).unwrap();
            let seen = verify(&stores).await;
            assert!(!seen.is_sound(), "a bit at {at} of {format:?}");
            assert_ne!(seen.read.sha256, manifest.sha256);
            assert_eq!(seen.read.size, manifest.size);
            file.write_all_at(&byte, at).unwrap();
        }
        assert!(verify(&stores).await.is_sound(), "it is as it was");
        stores.archive.remove(&place("x")).await.unwrap();
    }
}

async fn a_cut_archive_is_found(stores: Stores) {
    let bytes = tar_zst(1 << 20);
    store(&stores.archive, "x", Format::TarZst, &bytes).await;
    let file = stores.file(&place("x").object_key(Format::TarZst).unwrap());
    fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(1000)
        .unwrap();
    let seen = verify(&stores).await;
    assert!(!seen.is_sound());
    // Nor can it be restored from by accident.
    assert!(matches!(
        stores.archive.open(&place("x")).await,
        Err(Error::Damaged { .. })
    ));
}

async fn a_missing_archive_is_found(stores: Stores) {
    store(&stores.archive, "x", Format::Zip, &zip(1)).await;
    let key = place("x").object_key(Format::Zip).unwrap();
    stores.objects().delete(&key).await.unwrap();
    let seen = verify(&stores).await;
    assert_eq!(seen.faults, ["it is missing"]);
    assert!(matches!(
        stores
            .archive
            .verify(&place("y"), &Streaming::default())
            .await,
        Err(Error::NotFound(_))
    ));
}

/// A packer that was killed, where the transfer did not notice.
async fn an_archive_that_never_was_whole_is_found(stores: Stores) {
    for (format, bytes) in [(Format::TarZst, tar_zst(1 << 20)), (Format::Zip, zip(20))] {
        let half = &bytes[..bytes.len() / 2];
        for (bytes, sound) in [(half, false), (&b""[..], false), (&bytes[..], true)] {
            store(&stores.archive, "x", format, bytes).await;
            let seen = verify(&stores).await;
            assert_eq!(seen.is_sound(), sound, "{format:?}: {:?}", seen.faults);
            assert_eq!(seen.read.sha256, seen.manifest.sha256);
            stores.archive.remove(&place("x")).await.unwrap();
        }
        // One format under the other's name.
        let other = Format::ALL
            .into_iter()
            .find(|other| *other != format)
            .unwrap();
        store(&stores.archive, "x", other, &bytes).await;
        assert!(!verify(&stores).await.is_sound());
        stores.archive.remove(&place("x")).await.unwrap();
    }
}

async fn a_bomb_ends_at_its_limit(stores: Stores) {
    let bomb = zstd::encode_all(std::io::repeat(0).take_of(256 << 20), 1).unwrap();
    store(&stores.archive, "x", Format::TarZst, &bomb).await;
    let bounded = Streaming {
        limit: Some(1 << 20),
        ..Streaming::default()
    };
    let seen = stores.archive.verify(&place("x"), &bounded).await.unwrap();
    assert_eq!(seen.faults, ["it unpacks to more than 1048576 bytes"]);
    assert_eq!(seen.unpacked, None);
}

trait TakeOf: std::io::Read + Sized {
    fn take_of(self, bytes: u64) -> std::io::Take<Self> {
        self.take(bytes)
    }
}
impl<R: std::io::Read> TakeOf for R {}

async fn verifying_can_be_cancelled(stores: Stores) {
    store(&stores.archive, "x", Format::TarZst, &tar_zst(20 << 20)).await;
    let cancel = CancellationToken::new();
    let canceller = cancel.clone();
    let streaming = Streaming {
        cancel,
        progress: Some(std::sync::Arc::new(move |bytes| {
            if bytes > 1 << 20 {
                canceller.cancel();
            }
        })),
        ..Streaming::default()
    };
    assert!(matches!(
        stores.archive.verify(&place("x"), &streaming).await,
        Err(Error::Cancelled)
    ));
}

async fn a_manifest_that_makes_no_sense_is_an_error(stores: Stores) {
    store(&stores.archive, "x", Format::Zip, &zip(1)).await;
    let file = stores.file(&place("x").manifest_key().unwrap());
    let whole = fs::read(&file).unwrap();
    let other = String::from_utf8(whole.clone())
        .unwrap()
        .replace("\"account\": 4", "\"account\": 5");
    let huge = vec![b' '; 2 << 20];
    for bytes in [
        &b""[..],
        b"{}",
        b"null",
        &whole[..whole.len() - 2],
        other.as_bytes(),
        &huge,
    ] {
        fs::write(&file, bytes).unwrap();
        let error = stores.archive.open(&place("x")).await.unwrap_err();
        assert!(
            matches!(error, Error::BadManifest { .. } | Error::Damaged { .. }),
            "{error:?}"
        );
    }
    fs::write(&file, whole).unwrap();
    stores.archive.open(&place("x")).await.unwrap();
}
