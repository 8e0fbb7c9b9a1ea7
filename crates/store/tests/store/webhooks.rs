use crate::base::{Base, count};
use pressroom_base::{
    Secret,
    catalog::event,
    id::{AccountId, WebhookEndpointId},
};
use pressroom_store::{
    NewEvent, NewWebhookEndpoint, Page, Scope, Store, WebhookEndpointPatch, WebhookEndpointRow,
    WebhookState, events,
    webhooks::{
        deliveries::{self, Attempt},
        endpoints,
    },
};
use std::{collections::BTreeSet, time::Duration};

crate::on_both! {
    an_event_waits_for_each_receiver_that_asked
    what_is_told_is_what_was
    removing_a_receiver_fails_no_event
    a_delivery_is_sent_by_one_at_a_time
    what_is_over_is_forgotten_in_time
    secrets_are_sealed_and_the_old_one_has_its_day
}

const LEASE: Duration = Duration::from_mins(1);

async fn endpoint(store: &Store, account: AccountId, events: &[&str]) -> WebhookEndpointRow {
    let tx = store.begin().await.unwrap();
    let new = NewWebhookEndpoint {
        account_id: account,
        url: "https://hooks.example/".into(),
        description: String::new(),
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        active: true,
        secret: Secret::new("whsec_AAAA".into()),
    };
    let row = endpoints::create(&tx, new, 20).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    row
}

async fn emit(store: &Store, account: AccountId, kind: &'static str) {
    let tx = store.begin().await.unwrap();
    let new = NewEvent {
        kind,
        account_id: Some(account),
        actor: "test".into(),
        payload: serde_json::json!({ "name": "Gone", "url": "https://gone.example" }),
        ..NewEvent::default()
    };
    events::emit(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn waiting(store: &Store, endpoint: WebhookEndpointId) -> Vec<String> {
    let rows = deliveries::list(store, endpoint, None, Page::ALL)
        .await
        .unwrap();
    rows.into_iter().map(|row| row.kind).rev().collect()
}

async fn an_event_waits_for_each_receiver_that_asked(base: Base) {
    let store = &base.store;
    let account = base.account("Acme").await.id;
    let other = base.account("Other").await.id;
    let all = endpoint(store, account, &["*"]).await;
    let some = endpoint(store, account, &["site.down", "upgrade.awaiting_approval"]).await;
    let off = endpoint(store, account, &["*"]).await;
    let foreign = endpoint(store, other, &["*"]).await;
    let tx = store.begin().await.unwrap();
    let patch = WebhookEndpointPatch {
        active: Some(false),
        ..WebhookEndpointPatch::default()
    };
    endpoints::update(&tx, off.id, patch).await.unwrap();
    tx.commit().await.unwrap();
    for kind in [
        "site.down",
        "site.recovered",
        "upgrade.awaiting_approval",
        event::DOMAIN_CREATED,
    ] {
        emit(store, account, kind).await;
    }
    assert_eq!(
        waiting(store, all.id).await,
        ["site.down", "site.recovered"]
    );
    assert_eq!(
        waiting(store, some.id).await,
        ["site.down", "upgrade.awaiting_approval"]
    );
    assert!(waiting(store, off.id).await.is_empty());
    assert!(waiting(store, foreign.id).await.is_empty());

    // A transaction that comes to nothing tells nobody.
    let tx = store.begin().await.unwrap();
    let new = NewEvent {
        kind: "site.down",
        account_id: Some(account),
        ..NewEvent::default()
    };
    events::emit(&tx, new).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(waiting(store, all.id).await.len(), 2);
    let ready = deliveries::ready(store).await.unwrap();
    let ready: Vec<_> = ready.into_iter().map(|ready| ready.endpoint).collect();
    assert_eq!(ready, [all.id, some.id]);
}

async fn what_is_told_is_what_was(base: Base) {
    let store = &base.store;
    let account = base.account("Acme").await.id;
    let environment = base.environment(account, "/srv/blog").await;
    let receiver = endpoint(store, account, &["*"]).await;
    let tx = store.begin().await.unwrap();
    let new = NewEvent {
        kind: event::SNAPSHOT_CREATED,
        account_id: Some(account),
        environment_id: Some(environment.id),
        payload: serde_json::json!({ "bytes": 7 }),
        ..NewEvent::default()
    };
    events::emit(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
    emit(store, account, "site.down").await;
    let raw = base.raw().await;
    sea_orm::ConnectionTrait::execute_unprepared(&raw, "UPDATE sites SET name = 'Other'")
        .await
        .unwrap();
    let rows = deliveries::list(store, receiver.id, None, Page::ALL)
        .await
        .unwrap();
    let first = &rows[1];
    assert_eq!(first.site_name.as_deref(), Some("/srv/blog"));
    assert_eq!(first.site_url.as_deref(), Some("https://example.org"));
    assert_eq!(first.payload["bytes"], 7);
    // Of what is gone, what was said.
    assert_eq!(rows[0].site_id, None);
    assert_eq!(rows[0].site_name.as_deref(), Some("Gone"));
}

async fn removing_a_receiver_fails_no_event(base: Base) {
    let account = base.account("Acme").await.id;
    let writers: Vec<_> = (0..6)
        .map(|_| {
            let store = base.store.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    emit(&store, account, "site.down").await;
                }
            })
        })
        .collect();
    for _ in 0..15 {
        let row = endpoint(&base.store, account, &["*"]).await;
        tokio::task::yield_now().await;
        let tx = base.store.begin().await.unwrap();
        endpoints::lock(&tx, row.id).await.unwrap();
        endpoints::remove(&tx, row.id).await.unwrap();
        tx.commit().await.unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let raw = base.raw().await;
    assert_eq!(count(&raw, "SELECT COUNT(*) FROM events").await, 120);
    let left = "SELECT COUNT(*) FROM webhook_deliveries";
    assert_eq!(count(&raw, left).await, 0);
}

async fn a_delivery_is_sent_by_one_at_a_time(base: Base) {
    let store = &base.store;
    let account = base.account("Acme").await.id;
    let receiver = endpoint(store, account, &["*"]).await.id;
    for _ in 0..60 {
        emit(store, account, "site.down").await;
    }
    let claimers: Vec<_> = (0..6)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let claim = format!("claimer {number}");
                let rows = deliveries::claim(&store, receiver, 10, &claim, LEASE).await;
                rows.unwrap()
                    .into_iter()
                    .map(|row| row.id)
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut claimed = Vec::new();
    for claimer in claimers {
        claimed.extend(claimer.await.unwrap());
    }
    let distinct: BTreeSet<_> = claimed.iter().map(|id| id.get()).collect();
    assert_eq!(claimed.len(), distinct.len(), "one was claimed twice");

    // Whoever is late has nothing to say any more, unless it arrived.
    let rest = deliveries::claim(store, receiver, 60, "rest", LEASE).await;
    assert_eq!(claimed.len() + rest.unwrap().len(), 60);
    let late = |claim: &'static str| deliveries::claim(store, receiver, 1, claim, LEASE);
    assert!(late("none").await.unwrap().is_empty());
    store.advance_clock(LEASE);
    let first = late("first").await.unwrap().remove(0);
    store.advance_clock(LEASE);
    let mut second = deliveries::claim(store, receiver, 60, "second", LEASE)
        .await
        .unwrap();
    let second = second.remove(second.iter().position(|row| row.id == first.id).unwrap());
    let tx = store.begin().await.unwrap();
    let failed = Attempt::default();
    assert!(!deliveries::give_up(&tx, &first, &failed).await.unwrap());
    assert!(!deliveries::delivered(&tx, &first, 200).await.unwrap());
    assert!(deliveries::delivered(&tx, &second, 200).await.unwrap());
    assert!(!deliveries::delivered(&tx, &second, 200).await.unwrap());
    tx.commit().await.unwrap();
    let ended = deliveries::count(store, receiver, WebhookState::Delivered).await;
    assert_eq!(ended.unwrap(), 1);
}

async fn what_is_over_is_forgotten_in_time(base: Base) {
    let store = &base.store;
    let account = base.account("Acme").await.id;
    let receiver = endpoint(store, account, &["*"]).await.id;
    for _ in 0..3 {
        emit(store, account, "site.down").await;
    }
    let rows = deliveries::claim(store, receiver, 2, "one", LEASE)
        .await
        .unwrap();
    let tx = store.begin().await.unwrap();
    deliveries::delivered(&tx, &rows[0], 204).await.unwrap();
    let why = Attempt {
        status: Some(500),
        error: Some("answered 500".into()),
    };
    deliveries::give_up(&tx, &rows[1], &why).await.unwrap();
    tx.commit().await.unwrap();
    let days = |days: u64| Duration::from_hours(24 * days);
    let prune = async || {
        let tx = store.begin().await.unwrap();
        let pruned = deliveries::prune(&tx, days(30), days(90)).await.unwrap();
        tx.commit().await.unwrap();
        pruned
    };
    assert_eq!(prune().await, 0);
    store.advance_clock(days(31));
    assert_eq!(prune().await, 1);
    store.advance_clock(days(60));
    assert_eq!(prune().await, 1);
    let waits = deliveries::count(store, receiver, WebhookState::Pending).await;
    assert_eq!(waits.unwrap(), 1, "what waits is never forgotten");
}

async fn secrets_are_sealed_and_the_old_one_has_its_day(base: Base) {
    let store = &base.store;
    let account = base.account("Acme").await.id;
    let row = endpoint(store, account, &["*"]).await;
    let raw = base.raw().await;
    let plain = "SELECT COUNT(*) FROM webhook_endpoints WHERE secret_sealed LIKE '%whsec_%'";
    assert_eq!(count(&raw, plain).await, 0);
    let tx = store.begin().await.unwrap();
    let day = Duration::from_hours(24);
    let next = Secret::new("whsec_BBBB".to_owned());
    endpoints::rotate(&tx, &row, &next, day).await.unwrap();
    tx.commit().await.unwrap();
    let row = endpoints::get(store, row.id).await.unwrap().unwrap();
    let now = store.now().await.unwrap();
    let both = endpoints::secrets(store, &row, now).unwrap();
    assert_eq!(both.current.expose(), "whsec_BBBB");
    assert_eq!(both.old.unwrap().expose(), "whsec_AAAA");
    let later = endpoints::secrets(store, &row, now.plus(day)).unwrap();
    assert!(later.old.is_none());
    // One too many is refused, and the list is the account's own.
    let tx = store.begin().await.unwrap();
    let new = NewWebhookEndpoint {
        account_id: account,
        url: "https://hooks.example/".into(),
        description: String::new(),
        events: vec!["*".into()],
        active: true,
        secret: next,
    };
    assert_eq!(endpoints::create(&tx, new, 1).await.unwrap(), None);
    tx.rollback().await.unwrap();
    let scope = Scope::Accounts(vec![AccountId::new(0)]);
    let found = endpoints::list(store, &scope, Page::ALL).await.unwrap();
    assert!(found.is_empty());
}
