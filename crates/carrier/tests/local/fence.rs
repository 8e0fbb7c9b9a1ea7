//! A worker that was declared dead and wakes can write nothing more.

use crate::site::{self, Site, epoch, process_of, signal, soon, stage};
use pressroom_agent::protocol::RefusalCode;
use pressroom_base::Kind;
use rustix::process::Signal;

#[tokio::test]
async fn a_stopped_worker_that_wakes_is_fenced() {
    let site = Site::new();
    let first = site.session().await;
    first.recover(epoch(5)).await.unwrap();
    let old = stage(&first, 5, "5.0").await;
    signal(process_of(&first), Signal::STOP);
    // Its next write is under way while it is stopped.
    let late = {
        let first = first.clone();
        let swap = site::swap(&old, None);
        tokio::spawn(async move { first.swap_component(epoch(5), swap).await })
    };

    let second = site.session().await;
    assert_eq!(second.welcome().fence.epoch, epoch(5));
    let recovery = soon(second.recover(epoch(6))).await.unwrap();
    assert_eq!(recovery.dropped_stages, 1);
    let new = stage(&second, 6, "6.0").await;
    second
        .swap_component(epoch(6), site::swap(&new, None))
        .await
        .unwrap();

    signal(process_of(&first), Signal::CONT);
    let refused = soon(late).await.unwrap().unwrap_err();
    assert!(refused.is_fenced(), "{refused:?}");
    assert_eq!(refused.kind(), Kind::Conflict);
    // Neither may it begin anything else, for which it need not send a package.
    let package = site::package("5.1");
    for refused in [
        first
            .take_back(epoch(5), site::swap(&new, None))
            .await
            .map(drop),
        first.drop_staged(epoch(5), &new.staged).await,
        first.remove_core(epoch(5), site::ROOT).await,
        first.clean_home(epoch(5)).await,
        first.recover(epoch(5)).await.map(drop),
        first
            .stage_component(epoch(5), site::target(), package.as_slice())
            .await
            .map(drop),
        first
            .install_core(epoch(5), "other", package.as_slice())
            .await
            .map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), Some(RefusalCode::Fenced));
    }
    // It may look.
    assert_eq!(first.tree_hash(site::PLUGIN).await.unwrap(), Some(new.tree));
    assert_eq!(site.plugin(), Some(site::source("6.0")));
}

#[tokio::test]
async fn what_a_dead_worker_left_is_found_by_the_next() {
    let site = Site::new();
    let first = site.session().await;
    first.recover(epoch(1)).await.unwrap();
    let staged = stage(&first, 1, "1.0").await;
    let swap = site::swap(&staged, None);
    first.swap_component(epoch(1), swap.clone()).await.unwrap();
    signal(process_of(&first), Signal::KILL);
    soon(first.close()).await;
    let second = site.session().await;
    let recovery = second.recover(epoch(2)).await.unwrap();
    assert_eq!(recovery.swaps.len(), 1);
    assert_eq!(recovery.swaps[0].swap, swap);
    second.drop_staged(epoch(2), &swap.staged).await.unwrap();
    assert_eq!(site.staging().len(), 0);
}
