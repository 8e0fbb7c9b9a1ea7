use crate::base::Base;
use pressroom_store::links;
use std::time::Duration;

crate::on_both! {
    one_of_many_uses_a_link_up
    a_use_that_is_rolled_back_is_none
    a_used_link_is_remembered_past_its_end_and_then_forgotten
}

const HOUR: Duration = Duration::from_hours(1);

async fn one_of_many_uses_a_link_up(base: Base) {
    let end = base.store.now().await.unwrap().plus(HOUR);
    let tries = (0..20).map(|_| {
        let store = base.store.clone();
        tokio::spawn(async move {
            let tx = store.begin().await.unwrap();
            let ours = links::spend(&tx, "n1", end).await.unwrap();
            tx.commit().await.unwrap();
            ours
        })
    });
    let got = futures_util::future::join_all(tries).await;
    let got: Vec<_> = got.into_iter().map(Result::unwrap).collect();
    assert_eq!(got.iter().filter(|ours| **ours).count(), 1);
    assert!(links::is_spent(&base.store, "n1").await.unwrap());
    assert!(!links::is_spent(&base.store, "n2").await.unwrap());
}

async fn a_use_that_is_rolled_back_is_none(base: Base) {
    let end = base.store.now().await.unwrap().plus(HOUR);
    let tx = base.store.begin().await.unwrap();
    assert!(links::spend(&tx, "n", end).await.unwrap());
    tx.rollback().await.unwrap();
    assert!(!links::is_spent(&base.store, "n").await.unwrap());
    let tx = base.store.begin().await.unwrap();
    assert!(links::spend(&tx, "n", end).await.unwrap());
    assert!(!links::spend(&tx, "n", end).await.unwrap());
    tx.commit().await.unwrap();
}

async fn a_used_link_is_remembered_past_its_end_and_then_forgotten(base: Base) {
    let now = base.store.now().await.unwrap();
    let tx = base.store.begin().await.unwrap();
    links::spend(&tx, "short", now.plus(HOUR)).await.unwrap();
    links::spend(&tx, "long", now.plus(HOUR * 48))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let prune = async |after: Duration| {
        base.store.advance_clock(after);
        let tx = base.store.begin().await.unwrap();
        let gone = links::prune(&tx).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    // Its end is past, by our clock; by another's it may not be.
    assert_eq!(prune(HOUR * 2).await, 0);
    assert!(links::is_spent(&base.store, "short").await.unwrap());
    assert_eq!(prune(HOUR * 24).await, 1);
    assert!(!links::is_spent(&base.store, "short").await.unwrap());
    assert!(links::is_spent(&base.store, "long").await.unwrap());
    assert_eq!(prune(HOUR * 72).await, 1);
}
