//! The agent in PHP, killed at each act of an exchange: whichever agent comes next makes
//! the site whole.

use super::{packages, plugin, stage};
use crate::site::{Site, epoch, is_running, process_of, soon, wait_until};
use pressroom_agent::php;
use pressroom_wordpress::{
    component::{Staged, Swap},
    recovery::Live,
};

/// Its text with a `rename` and an `unlink` that kill it in place of the one after so many.
pub fn after(acts: usize) -> String {
    let program = php::program();
    let mut changed = program.to_owned();
    for act in ["rename", "unlink"] {
        assert!(program.contains(&format!("@{act}(")));
        changed = changed.replace(&format!("@{act}("), &format!("killed_{act}("));
    }
    let counted = format!(
        "\nfunction killed_act() {{ static $left = {acts}; if ( 0 === $left-- ) {{ posix_kill( getmypid(), 9 ); sleep( 9 ); }} }}\n\
         function killed_rename( $from, $to ) {{ killed_act(); return @rename( $from, $to ); }}\n\
         function killed_unlink( $path ) {{ killed_act(); return @unlink( $path ); }}\n"
    );
    changed.replacen("<?php\n", &format!("<?php{counted}"), 1)
}

/// A site with version 1.0 live and 2.0 staged by its next worker.
async fn prepared() -> (Site, Staged, Swap) {
    let site = Site::new();
    let session = site.session().await;
    session.recover(epoch(1)).await.unwrap();
    let target = plugin("hello");
    let first = stage(&session, &target, &packages::plugin("hello", "1.0")).await;
    let put_in = Swap {
        target,
        staged: first.staged.clone(),
        before: None,
        after: first.tree.hash.clone(),
    };
    session
        .swap_component(epoch(1), put_in.clone())
        .await
        .unwrap();
    session.drop_staged(epoch(1), &first.staged).await.unwrap();
    let second = stage(&session, &put_in.target, &packages::plugin("hello", "2.0")).await;
    let swap = Swap {
        staged: second.staged,
        before: Some(first.tree.hash.clone()),
        after: second.tree.hash,
        ..put_in
    };
    session.close().await;
    (site, first, swap)
}

/// What both agents find and make of it, in turn.
async fn settled(site: &Site, swap: &Swap, by_php: bool) -> Option<Live> {
    let session = if by_php {
        site.php_session().await
    } else {
        site.session().await
    };
    let found = soon(session.recover(epoch(2))).await.unwrap();
    let live = session.hash_component(swap.target.clone()).await.unwrap();
    let live = live.expect("there is a plugin").hash;
    assert!(live == swap.after || Some(&live) == swap.before.as_ref());
    let told = found.swaps.first().map(|told| {
        assert_eq!(&told.swap, swap);
        told.live
    });
    match told {
        None | Some(Live::Before) => assert_eq!(Some(&live), swap.before.as_ref()),
        Some(Live::After) => assert_eq!(live, swap.after),
        Some(Live::Other) => panic!("neither side"),
    }
    if told.is_some() {
        // Both sides are there, whole: it can go on, and back.
        let done = session.swap_component(epoch(2), swap.clone()).await;
        assert_eq!(done.unwrap().tree.hash, swap.after);
        let back = session.take_back(epoch(2), swap.clone()).await.unwrap();
        assert_eq!(Some(back.tree.hash), swap.before);
    }
    session.drop_staged(epoch(2), &swap.staged).await.unwrap();
    let other = if by_php {
        site.session().await
    } else {
        site.php_session().await
    };
    let after = other.recover(epoch(3)).await.unwrap();
    assert_eq!((after.swaps.len(), after.stuck.len()), (0, 0));
    assert_eq!(site.staging().len(), 0);
    assert_eq!(site.plugin(), Some(crate::site::source("1.0")));
    told
}

#[tokio::test]
async fn at_each_act_of_an_exchange() {
    // The entry's place, away, in, aside.
    let expected = [
        None,
        Some(Live::Before),
        Some(Live::Before),
        Some(Live::After),
        Some(Live::After),
    ];
    for by_php in [true, false] {
        for (acts, expected) in expected.into_iter().enumerate() {
            let (site, _, swap) = prepared().await;
            let session = site.php_session_of(&after(acts)).await;
            let process = process_of(&session);
            let done = soon(session.swap_component(epoch(1), swap.clone())).await;
            assert_eq!(done.is_err(), acts < 4, "{acts}: {done:?}");
            if done.is_err() {
                wait_until("it is gone", || !is_running(process));
            }
            // Between two renames nothing is live, and only there.
            assert_eq!(site.plugin().is_none(), acts == 2, "{acts}");
            assert_eq!(settled(&site, &swap, by_php).await, expected, "{acts}");
        }
    }
}

#[tokio::test]
async fn at_each_act_of_taking_back() {
    let expected = [Live::After, Live::After, Live::After, Live::Before];
    for by_php in [true, false] {
        for (acts, expected) in expected.into_iter().enumerate() {
            let (site, _, swap) = prepared().await;
            let native = site.session().await;
            native.swap_component(epoch(1), swap.clone()).await.unwrap();
            native.close().await;
            let session = site.php_session_of(&after(acts)).await;
            let process = process_of(&session);
            let back = soon(session.take_back(epoch(1), swap.clone())).await;
            assert!(back.is_err(), "{acts}: {back:?}");
            wait_until("it is gone", || !is_running(process));
            let told = settled(&site, &swap, by_php).await;
            assert_eq!(told, Some(expected), "{acts}");
        }
    }
}
