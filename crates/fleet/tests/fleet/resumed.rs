//! A request with a key whose server was killed between the deed and the answer: asked
//! again, it does nothing twice and is answered as it would have been.

use crate::base::Base;
use pressroom_base::id::ShortId;
use pressroom_fleet::{
    Caller,
    requests::Begin,
    snapshots::{AskSnapshot, Contents, Mode},
    webhooks::{NewWebhookEndpoint, WebhookChange},
};
use pressroom_store::{EnvironmentState, environments};
use std::time::Duration;

crate::on_both! {
    a_receiver_is_added_once
    a_secret_is_exchanged_once
    what_was_removed_is_not_looked_for_again
    a_snapshot_is_awaited_once
}

/// Longer than anybody is believed to be at it who says nothing.
const DEAD: Duration = Duration::from_mins(6);

/// As a server takes a request up that was given this key; nobody ever answers it.
async fn asked(base: &Base, key: &str) -> Caller {
    base.store.advance_clock(DEAD);
    let begun = base.fleet.begin_request("user:1", key, "f").await.unwrap();
    let Begin::Run(slot) = begun else {
        panic!("{begun:?}");
    };
    let mut caller = Base::console();
    caller.idempotency = Some(slot);
    caller
}

fn receiver() -> NewWebhookEndpoint {
    NewWebhookEndpoint {
        // Public, and never asked here.
        url: "https://1.1.1.1/in".into(),
        events: vec!["*".into()],
        description: String::new(),
        active: true,
    }
}

async fn add(base: &Base) -> ShortId {
    let console = Base::console();
    let added = base
        .fleet
        .add_webhook_endpoint(&console, base.account, receiver());
    added.await.unwrap().0.id
}

async fn a_receiver_is_added_once(base: Base) {
    let mut told = Vec::new();
    for _ in 0..3 {
        let caller = asked(&base, "k").await;
        let added = base
            .fleet
            .add_webhook_endpoint(&caller, base.account, receiver());
        let (endpoint, secret) = added.await.unwrap();
        told.push((endpoint.id, secret.into_inner()));
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    let console = Base::console();
    let all = base.fleet.all_webhook_endpoints(&console).await.unwrap();
    assert_eq!(all.len(), 1);
    // Another request is another receiver.
    let caller = asked(&base, "other").await;
    let added = base
        .fleet
        .add_webhook_endpoint(&caller, base.account, receiver());
    assert_ne!(added.await.unwrap().0.id, told[0].0);
}

async fn a_secret_is_exchanged_once(base: Base) {
    let id = add(&base).await;
    let mut told = Vec::new();
    for _ in 0..2 {
        let caller = asked(&base, "k").await;
        let change = WebhookChange {
            rotate_secret: true,
            ..WebhookChange::default()
        };
        let changed = base
            .fleet
            .change_webhook_endpoint(&caller, &id, change)
            .await
            .unwrap();
        told.push(changed.secret.unwrap().into_inner());
    }
    assert_eq!(told[0], told[1]);
}

async fn what_was_removed_is_not_looked_for_again(base: Base) {
    let id = add(&base).await;
    for _ in 0..2 {
        let caller = asked(&base, "k").await;
        base.fleet
            .remove_webhook_endpoint(&caller, &id)
            .await
            .unwrap();
    }
    let console = Base::console();
    let missing = base.fleet.remove_webhook_endpoint(&console, &id).await;
    missing.unwrap_err();
}

async fn a_snapshot_is_awaited_once(base: Base) {
    let row = base.site("shop", EnvironmentState::Active).await;
    let site = environments::get_site(&base.store, row.site_id).await;
    let site = site.unwrap().unwrap().short_id;
    let ask = || AskSnapshot {
        mode: Mode::Upload,
        contents: Contents::Full,
        label: String::new(),
        retention_days: None,
    };
    let mut told = Vec::new();
    for _ in 0..2 {
        let caller = asked(&base, "k").await;
        let awaited = base.fleet.ask_snapshot(&caller, &site, ask());
        told.push(awaited.await.unwrap().short_id);
    }
    assert_eq!(told[0], told[1]);
    let id = ShortId::parse(&told[0]).unwrap();
    for _ in 0..2 {
        let caller = asked(&base, "gone").await;
        base.fleet
            .remove_site_snapshot(&caller, &site, &id)
            .await
            .unwrap();
    }
}
