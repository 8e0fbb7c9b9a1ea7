//! What dead sessions leave is gone after the next recovery.

use super::lab::{EPOCH, Live, open, processes, site};
use crate::site::soon;
use pressroom_base::Epoch;
use pressroom_wordpress::rehearsal::{RehearsalOptions, Visit};
use rustix::process::{Pid, Signal};
use std::time::{Duration, Instant};

fn kill(session: &pressroom_carrier::Session) {
    let process = session.process_id().and_then(|id| i32::try_from(id).ok());
    let process = process.and_then(Pid::from_raw).unwrap();
    rustix::process::kill_process(process, Signal::KILL).unwrap();
}

#[tokio::test]
async fn killed_while_it_is_made() {
    let live = Live::new().await;
    let before = live.state().await;
    let since = Instant::now();
    let whole = live.make().await;
    let took = since.elapsed();
    soon(live.session.drop_rehearsal(EPOCH, &whole.handle))
        .await
        .unwrap();
    let mut epoch = EPOCH;
    let mut found = 0;
    for part in 1..=8 {
        let session = open(&live.place).await;
        soon(session.recover(epoch)).await.unwrap();
        let making = session.clone();
        let site = live.site_ref();
        let made = tokio::spawn(async move {
            making
                .make_rehearsal(epoch, site, RehearsalOptions::default())
                .await
        });
        tokio::time::sleep(took * part / 8).await;
        kill(&session);
        let _ = made.await;
        // A later one of the same work finds it and leaves it, one of other work does not.
        epoch = Epoch::new(epoch.get() + 1);
        let next = open(&live.place).await;
        let recovery = soon(next.recover(epoch)).await.unwrap();
        assert_eq!(recovery.stuck, [""; 0], "part {part}");
        assert_eq!(live.left(), [""; 0], "part {part}: {recovery:?}");
        found += recovery.dropped_rehearsals.len();
    }
    assert!(found > 0, "no kill met one that was being made");
    let next = open(&live.place).await;
    let now = soon(next.database_checksums(live.site_ref(), vec![]))
        .await
        .unwrap();
    assert_eq!(now.len(), before.tables.len());
}

#[tokio::test]
async fn killed_while_it_is_looked_at() {
    let live = Live::new().await;
    let clone = live.make().await;
    assert_eq!(live.get(&clone, "/").await.status, 200);
    assert!(!processes(&live.home).is_empty());
    kill(&live.session);
    let until = Instant::now() + Duration::from_secs(20);
    while !processes(&live.home).is_empty() {
        assert!(Instant::now() < until, "{:?}", processes(&live.home));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The same work goes on with it.
    let again = open(&live.place).await;
    let recovery = soon(again.recover(EPOCH)).await.unwrap();
    assert_eq!(recovery.rehearsals, std::slice::from_ref(&clone.handle));
    let page = soon(again.visit(&clone.handle, Visit::get("/")))
        .await
        .unwrap();
    assert_eq!(page.status, 200);
    // Other work does not.
    let next = open(&live.place).await;
    let recovery = soon(next.recover(Epoch::new(EPOCH.get() + 1)))
        .await
        .unwrap();
    assert_eq!(
        recovery.dropped_rehearsals,
        std::slice::from_ref(&clone.handle)
    );
    assert_eq!(live.left(), [""; 0]);
    let late = again
        .make_rehearsal(EPOCH, live.site_ref(), RehearsalOptions::default())
        .await;
    assert!(late.unwrap_err().to_string().contains("older than"));
}

#[tokio::test]
async fn cancelled_while_it_is_made() {
    let live = Live::of(site("")).await;
    let cut = live.session.with_deadline(Duration::from_millis(150));
    let made = soon(cut.make_rehearsal(EPOCH, live.site_ref(), RehearsalOptions::default())).await;
    if let Ok(clone) = made {
        // A machine that fast is left with nothing to prove.
        soon(live.session.drop_rehearsal(EPOCH, &clone.handle))
            .await
            .unwrap();
    }
    assert_eq!(live.left(), [""; 0]);
}
