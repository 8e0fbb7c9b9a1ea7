use crate::base::Base;
use pressroom_base::id::JobId;
use pressroom_store::{
    Error,
    idempotency::{self, Claim},
};
use std::time::Duration;

crate::on_both! {
    one_of_a_hundred_is_fresh
    an_answer_is_given_again
    a_request_whose_holder_died_is_carried_on
    what_had_an_effect_is_not_released
    a_key_is_forgotten_in_time
}

const LEASE: Duration = Duration::from_secs(30);

async fn claim(base: &Base, key: &str, fingerprint: &str, holder: &str) -> Claim {
    idempotency::claim(&base.store, "user:1", key, fingerprint, holder, LEASE)
        .await
        .unwrap()
}

async fn one_of_a_hundred_is_fresh(base: Base) {
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let store = base.store.clone();
            let holder = format!("h{number}");
            tokio::spawn(async move {
                idempotency::claim(&store, "user:1", "k", "f", &holder, LEASE).await
            })
        })
        .collect();
    let mut fresh = 0;
    for task in tasks {
        match task.await.unwrap().unwrap() {
            Claim::Fresh(_) => fresh += 1,
            Claim::InProgress => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(fresh, 1);
}

async fn an_answer_is_given_again(base: Base) {
    let Claim::Fresh(id) = claim(&base, "k", "f", "a").await else {
        panic!("not fresh");
    };
    assert_eq!(claim(&base, "k", "f", "b").await, Claim::InProgress);
    assert_eq!(claim(&base, "k", "other", "b").await, Claim::Mismatch);
    let stranger = idempotency::finish(&base.store, id, "b", 200, "{}").await;
    assert!(matches!(stranger, Err(Error::LostLease)));
    idempotency::finish(&base.store, id, "a", 201, r#"{"id":1}"#)
        .await
        .unwrap();
    let again = Claim::Done {
        status: 201,
        body: r#"{"id":1}"#.into(),
    };
    assert_eq!(claim(&base, "k", "f", "b").await, again);
    assert_eq!(claim(&base, "k", "other", "b").await, Claim::Mismatch);

    let Claim::Fresh(id) = claim(&base, "refused", "f", "a").await else {
        panic!("not fresh");
    };
    idempotency::release(&base.store, id, "a").await.unwrap();
    assert!(matches!(
        claim(&base, "refused", "g", "b").await,
        Claim::Fresh(_)
    ));
}

async fn a_request_whose_holder_died_is_carried_on(base: Base) {
    let Claim::Fresh(id) = claim(&base, "k", "f", "a").await else {
        panic!("not fresh");
    };
    let tx = base.store.begin().await.unwrap();
    idempotency::attach_job(&tx, id, "a", JobId::new(5))
        .await
        .unwrap();
    idempotency::attach_made(&tx, id, "a", 7).await.unwrap();
    tx.commit().await.unwrap();
    base.store.advance_clock(Duration::from_secs(20));
    idempotency::heartbeat(&base.store, id, "a", LEASE)
        .await
        .unwrap();
    base.store.advance_clock(Duration::from_secs(20));
    assert_eq!(
        claim(&base, "k", "f", "b").await,
        Claim::InProgress,
        "it said it is alive"
    );

    base.store.advance_clock(Duration::from_secs(20));
    let resumed = Claim::Resumed {
        id,
        job: Some(JobId::new(5)),
        made: Some(7),
    };
    assert_eq!(claim(&base, "k", "f", "b").await, resumed);
    assert_eq!(claim(&base, "k", "f", "c").await, Claim::InProgress);
    // The first holder wakes up: nothing of it counts any more.
    let late = idempotency::heartbeat(&base.store, id, "a", LEASE).await;
    assert!(matches!(late, Err(Error::LostLease)));
    let late = idempotency::finish(&base.store, id, "a", 200, "late").await;
    assert!(matches!(late, Err(Error::LostLease)));
    let tx = base.store.begin().await.unwrap();
    let late = idempotency::attach_job(&tx, id, "a", JobId::new(6)).await;
    assert!(matches!(late, Err(Error::LostLease)));
    let late = idempotency::attach_made(&tx, id, "a", 8).await;
    assert!(matches!(late, Err(Error::LostLease)));
    drop(tx);
    idempotency::finish(&base.store, id, "b", 200, "right")
        .await
        .unwrap();
}

async fn what_had_an_effect_is_not_released(base: Base) {
    let Claim::Fresh(id) = claim(&base, "k", "f", "a").await else {
        panic!("not fresh");
    };
    let tx = base.store.begin().await.unwrap();
    idempotency::attach_made(&tx, id, "a", 7).await.unwrap();
    tx.commit().await.unwrap();
    idempotency::release(&base.store, id, "a").await.unwrap();
    assert_eq!(claim(&base, "k", "f", "b").await, Claim::InProgress);
    // A day later the key is another request's, which has made nothing.
    base.store.advance_clock(Duration::from_hours(24));
    let Claim::Fresh(id) = claim(&base, "k", "g", "c").await else {
        panic!("not fresh");
    };
    base.store.advance_clock(LEASE.saturating_add(LEASE));
    let resumed = Claim::Resumed {
        id,
        job: None,
        made: None,
    };
    assert_eq!(claim(&base, "k", "g", "d").await, resumed);
}

async fn a_key_is_forgotten_in_time(base: Base) {
    let Claim::Fresh(id) = claim(&base, "k", "f", "a").await else {
        panic!("not fresh");
    };
    idempotency::finish(&base.store, id, "a", 200, "x")
        .await
        .unwrap();
    base.store.advance_clock(Duration::from_hours(24));
    assert!(matches!(
        claim(&base, "k", "other", "b").await,
        Claim::Fresh(_)
    ));
    base.store.advance_clock(Duration::from_hours(25));
    let tx = base.store.begin().await.unwrap();
    assert_eq!(idempotency::prune(&tx).await.unwrap(), 1);
}
