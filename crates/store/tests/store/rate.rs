use crate::base::Base;
use pressroom_store::rate;
use std::time::Duration;

crate::on_both! {
    refused_hits_do_not_extend_the_window
    simultaneous_hits_are_all_counted
}

const WINDOW: Duration = Duration::from_mins(1);

async fn refused_hits_do_not_extend_the_window(base: Base) {
    let hit = async || rate::hit(&base.store, "token:1", 3, WINDOW).await.unwrap();
    for left in [2, 1, 0] {
        let status = hit().await;
        assert!(status.allowed);
        assert_eq!((status.limit, status.remaining), (3, left));
        assert!((59..=60).contains(&status.reset_s), "{status:?}");
    }
    base.store.advance_clock(Duration::from_secs(40));
    for _ in 0..5 {
        let status = hit().await;
        assert!(!status.allowed);
        assert_eq!(status.remaining, 0);
        assert!((10..=20).contains(&status.reset_s), "{status:?}");
    }
    base.store.advance_clock(Duration::from_secs(20));
    let status = hit().await;
    assert!(status.allowed, "a new window has opened: {status:?}");
    assert_eq!(status.remaining, 2);

    let other = rate::hit(&base.store, "token:2", 3, WINDOW).await.unwrap();
    assert_eq!(other.remaining, 2, "keys do not share windows");
    let none = rate::hit(&base.store, "token:3", 0, WINDOW).await.unwrap();
    assert!(!none.allowed);
    base.store.advance_clock(Duration::from_hours(2));
    let tx = base.store.begin().await.unwrap();
    assert_eq!(rate::prune(&tx, Duration::from_hours(1)).await.unwrap(), 3);
}

async fn simultaneous_hits_are_all_counted(base: Base) {
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let store = base.store.clone();
            tokio::spawn(async move { rate::hit(&store, "ip:1", 20, WINDOW).await })
        })
        .collect();
    let mut allowed = 0;
    for task in tasks {
        allowed += u32::from(task.await.unwrap().unwrap().allowed);
    }
    assert_eq!(allowed, 20);
}
