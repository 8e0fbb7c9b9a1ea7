//! A writer in a process of its own, which is killed, or whose memory is measured.

use crate::{
    on_both,
    stores::{Stores, config, noise, place},
};
use pressroom_archive::{Archive, Error, Format, Objects, Page, Said, Streaming};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

on_both! {
    a_killed_writer_leaves_nothing_visible
    what_is_abandoned_is_gone_at_once
    a_long_stream_takes_little_memory
}

const STORE: &str = "PRESSROOM_ARCHIVE_TEST_STORE";
const SIZE: &str = "PRESSROOM_ARCHIVE_TEST_SIZE";
const MIB: u64 = 1 << 20;

/// Starts this test program again, as a writer of so many bytes.
fn writer(stores: &Stores, bytes: u64) -> Child {
    let store = match &stores.cloud {
        Some(cloud) => cloud.address.to_string(),
        None => stores.scratch.path().join("archive").display().to_string(),
    };
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::the_writer", "--nocapture"])
        .env(STORE, store)
        .env(SIZE, bytes.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Not a test but the process that the tests above start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer() {
    let Ok(store) = std::env::var(STORE) else {
        return;
    };
    let size: u64 = std::env::var(SIZE).unwrap().parse().unwrap();
    let objects = match store.parse() {
        Ok(address) => Objects::s3(config(address)).unwrap(),
        Err(_) => Objects::directory(store).unwrap(),
    };
    let archive = Archive::new(objects);
    let streaming = Streaming {
        progress: Some(Arc::new(|bytes| {
            if bytes % (10 * MIB) == 0 {
                println!("\nwritten {}", bytes / MIB);
            }
        })),
        ..Streaming::default()
    };
    let input = Endless(noise(256 << 10, 1)).take(size);
    let received = archive
        .receive(&place("x"), Format::TarZst, input, &streaming)
        .await
        .unwrap();
    received.commit(Said::default()).await.unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    println!("\npeak {}", peak.split_whitespace().nth(1).unwrap());
}

/// The same bytes for ever, so that the input takes no memory.
struct Endless(Vec<u8>);

impl tokio::io::AsyncRead for Endless {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let count = buffer.remaining().min(self.0.len());
        buffer.put_slice(&self.0[..count]);
        std::task::Poll::Ready(Ok(()))
    }
}

/// Reads the writer's lines up to one with this word; the number behind it.
fn wait_for(child: &mut Child, word: &str, least: u64) -> u64 {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    for line in lines {
        let line = line.unwrap();
        let number = line
            .strip_prefix(word)
            .and_then(|rest| rest.trim().parse().ok());
        if let Some(number) = number.filter(|number| *number >= least) {
            return number;
        }
    }
    panic!("the writer ended without `{word}`");
}

/// Has a writer write for a while, and kills it.
async fn kill_writer(stores: &Stores) {
    let mut child = writer(stores, 100_000 * MIB);
    let (mut child, _) = tokio::task::spawn_blocking(move || {
        let written = wait_for(&mut child, "written", 60);
        (child, written)
    })
    .await
    .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn what_is_abandoned_is_gone_at_once(stores: Stores) {
    kill_writer(&stores).await;
    assert!(!stores.files().is_empty(), "it had written something");
    // Another's upload stays.
    let archive = &stores.archive;
    archive.abandon(&place("y")).await.unwrap();
    assert!(!stores.files().is_empty(), "another's upload is gone");
    archive.abandon(&place("x")).await.unwrap();
    stores.assert_empty().await;
}

async fn a_killed_writer_leaves_nothing_visible(stores: Stores) {
    kill_writer(&stores).await;
    let archive = &stores.archive;
    assert_eq!(archive.list_all(&Page::first(9)).await.unwrap(), []);
    assert!(matches!(
        archive.open(&place("x")).await,
        Err(Error::NotFound(_))
    ));
    let object = place("x").object_key(Format::TarZst).unwrap();
    assert_eq!(archive.objects().load(&object).await.unwrap(), None);
    assert!(!stores.files().is_empty(), "it had written something");
    let swept = archive
        .sweep(Duration::ZERO, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(swept.uploads, 1);
    stores.assert_empty().await;
}

async fn a_long_stream_takes_little_memory(stores: Stores) {
    let mut child = writer(&stores, 200 * MIB);
    let (mut child, peak) = tokio::task::spawn_blocking(move || {
        let peak = wait_for(&mut child, "peak", 0);
        (child, peak)
    })
    .await
    .unwrap();
    assert!(child.wait().unwrap().success());
    let most = if stores.cloud.is_some() { 130 } else { 60 };
    assert!(peak < most << 10, "{} MiB at its peak", peak >> 10);
    eprintln!("{} MiB at its peak", peak >> 10);
}
