//! Packages on their way: large ones, and those that stop half-way.

use super::{Both, packages, plugin, stage};
use crate::site::{Site, epoch, is_running, process_of, signal, soon, wait_until};
use pressroom_agent::protocol::RefusalCode;
use rustix::process::Signal;
use std::{
    fs, io,
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, ReadBuf};

/// The most memory that a process had, in MB.
fn peak(process: u32) -> u64 {
    let path = Path::new("/proc").join(process.to_string()).join("status");
    let status = fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn a_large_package_takes_no_more_memory_than_a_small_one() {
    let both = Both::new().await;
    let process = process_of(&both.php);
    let staged = async |mb: usize| {
        let package = tokio::fs::File::from_std(packages::large("big", mb));
        soon(both.php.stage_component(epoch(1), plugin("big"), package))
            .await
            .unwrap()
    };
    staged(8).await;
    let small = peak(process);
    assert!(staged(120).await.tree.bytes > 240 << 20);
    let more = peak(process) - small;
    assert!(more <= 6, "{more} MB more than {small}");
}

/// Gives some bytes and never the rest.
struct Stuck(usize);

impl AsyncRead for Stuck {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0 == 0 {
            return Poll::Pending;
        }
        let some = self.0.min(buffer.remaining());
        buffer.put_slice(&vec![b'x'; some]);
        self.0 -= some;
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_package_that_never_ends_leaves_nothing() {
    let site = Site::new();
    let session = site.php_session().await;
    session.recover(epoch(1)).await.unwrap();
    let sending = session.stage_component(epoch(1), plugin("hello"), Stuck(3 << 20));
    let gave_up = tokio::time::timeout(std::time::Duration::from_secs(1), sending).await;
    assert!(gave_up.is_err());
    // Nobody waits any more: it is free for what comes next.
    assert_eq!(site.staging().len(), 0);
    soon(session.tree_hash("public_html")).await.unwrap();
    stage(&session, &plugin("hello"), &packages::plugin("hello", "1")).await;
    assert_eq!(site.staging().len(), 1);

    let process = process_of(&session);
    let sending = session.stage_component(epoch(1), plugin("hello"), Stuck(3 << 20));
    let _ = tokio::time::timeout(std::time::Duration::from_millis(300), sending).await;
    signal(process, Signal::KILL);
    wait_until("it is gone", || !is_running(process));
    let next = site.php_session().await;
    assert_eq!(
        soon(next.recover(epoch(2))).await.unwrap().dropped_stages,
        1
    );
    assert_eq!(site.staging().len(), 0);
}

#[tokio::test]
async fn a_worker_whose_time_has_passed_writes_nothing() {
    let both = Both::new().await;
    let target = plugin("hello");
    let zip = packages::plugin("hello", "1");
    let staged = stage(&both.php, &target, &zip).await;
    let swap = super::Swap {
        target: target.clone(),
        staged: staged.staged.clone(),
        before: None,
        after: staged.tree.hash,
    };
    both.native.recover(epoch(2)).await.unwrap();
    let late = &both.php;
    for refused in [
        late.stage_component(epoch(1), target, zip.as_slice())
            .await
            .map(drop),
        late.swap_component(epoch(1), swap.clone()).await.map(drop),
        late.take_back(epoch(1), swap).await.map(drop),
        late.drop_staged(epoch(1), &staged.staged).await,
        late.recover(epoch(1)).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), Some(RefusalCode::Fenced));
    }
    assert!(!both.site.path(packages::PLUGINS).join("hello").exists());
}
