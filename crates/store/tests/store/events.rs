use crate::base::{Base, count};
use pressroom_base::{catalog::event, id::AccountId};
use pressroom_store::{NewEvent, Page, Scope, Tx, activity, deliveries, events};
use std::time::Duration;

crate::on_both! {
    each_event_arrives_once_with_twenty_writers
    an_event_of_a_dropped_transaction_never_was
    the_log_speaks_to_people
}

const WRITERS: usize = 20;
const EACH: usize = 10;
const DONE: &str = "SELECT COUNT(*) FROM event_deliveries WHERE state = 'done' AND attempts = 1";

async fn emit(tx: &Tx, account: AccountId, payload: serde_json::Value) {
    let new = NewEvent {
        kind: event::DOMAIN_CREATED,
        account_id: Some(account),
        environment_id: None,
        job_id: None,
        actor: "ada@example.org".into(),
        payload,
        ..NewEvent::default()
    };
    events::emit(tx, new).await.unwrap();
}

async fn each_event_arrives_once_with_twenty_writers(base: Base) {
    let account = base.account("Acme").await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let store = base.store.clone();
            tokio::spawn(async move {
                for _ in 0..EACH {
                    let tx = store.begin().await.unwrap();
                    emit(&tx, account.id, serde_json::json!({})).await;
                    tx.commit().await.unwrap();
                }
            })
        })
        .collect();
    // Three deliverers compete while the writers write.
    let raw = base.raw().await;
    let deliverers: Vec<_> = (0..3)
        .map(|_| {
            let (store, raw) = (base.store.clone(), raw.clone());
            tokio::spawn(async move {
                let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
                let mut mine = 0;
                loop {
                    if count(&raw, DONE).await >= WRITERS * EACH {
                        return mine;
                    }
                    assert!(tokio::time::Instant::now() < deadline, "not all arrived");
                    mine += deliveries::deliver_pending(&store, events::ACTIVITY, 7)
                        .await
                        .unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut delivered = 0;
    for deliverer in deliverers {
        delivered += deliverer.await.unwrap();
    }
    assert_eq!(delivered, WRITERS * EACH);
    assert_eq!(count(&raw, DONE).await, WRITERS * EACH);
    assert_eq!(
        count(&raw, "SELECT COUNT(*) FROM activity").await,
        WRITERS * EACH
    );
    assert_eq!(
        deliveries::deliver_pending(&base.store, events::ACTIVITY, 7)
            .await
            .unwrap(),
        0
    );

    base.store.advance_clock(Duration::from_hours(48));
    let tx = base.store.begin().await.unwrap();
    let pruned = events::prune(&tx, Duration::from_hours(24)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(usize::try_from(pruned).unwrap(), WRITERS * EACH);
    assert_eq!(
        count(&raw, "SELECT COUNT(*) FROM event_deliveries").await,
        0
    );
    assert_eq!(
        count(&raw, "SELECT COUNT(*) FROM activity").await,
        WRITERS * EACH
    );
}

async fn an_event_of_a_dropped_transaction_never_was(base: Base) {
    let account = base.account("Acme").await;
    let mut signals = base.store.signals();
    let tx = base.store.begin().await.unwrap();
    emit(&tx, account.id, serde_json::json!({})).await;
    tx.rollback().await.unwrap();
    assert_eq!(
        deliveries::deliver_pending(&base.store, events::ACTIVITY, 7)
            .await
            .unwrap(),
        0
    );
    assert!(signals.try_recv().is_err(), "nobody was told");
    let tx = base.store.begin().await.unwrap();
    emit(&tx, account.id, serde_json::json!({})).await;
    tx.commit().await.unwrap();
    assert_eq!(signals.try_recv().unwrap(), pressroom_store::Signal::Event);
}

async fn the_log_speaks_to_people(base: Base) {
    let account = base.account("Acme").await;
    let other = base.account("Other").await;
    let tx = base.store.begin().await.unwrap();
    emit(
        &tx,
        account.id,
        serde_json::json!({ "text": "Added `example.org`" }),
    )
    .await;
    emit(
        &tx,
        account.id,
        serde_json::json!({ "name": "example.net" }),
    )
    .await;
    emit(&tx, other.id, serde_json::json!({})).await;
    tx.commit().await.unwrap();
    assert_eq!(
        deliveries::deliver_pending(&base.store, events::ACTIVITY, 100)
            .await
            .unwrap(),
        3
    );
    let scope = Scope::Accounts(vec![account.id]);
    let log = activity::list(&base.store, &scope, Page::first(10))
        .await
        .unwrap();
    let texts: Vec<_> = log.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        texts,
        ["A domain was given to an account", "Added `example.org`"]
    );
    assert_eq!(log[0].actor, "ada@example.org");
}
