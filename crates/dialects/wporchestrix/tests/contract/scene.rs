//! An account's site, who is told of it, and what came of that.

use crate::world::World;
use pressroom_base::id::{AccountId, ShortId};
use pressroom_fleet::{
    Caller, Fleet, Principal,
    webhooks::{Courier, NewWebhookEndpoint, WebhookDelivery},
};
use pressroom_store::{NewEvent, SiteRow, Store, accounts, environments, events};
use pressroom_testkit::receiver::Received;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub fn console() -> Caller {
    Caller::new(Principal::console())
}

/// An account's site, and who is told of it.
pub struct Scene<'w> {
    pub fleet: &'w Fleet,
    pub store: &'w Store,
    pub account: AccountId,
    pub site: SiteRow,
}

impl<'w> Scene<'w> {
    pub async fn of(world: &'w World) -> Self {
        let store = &world.test.store;
        let tx = store.begin().await.expect("a transaction");
        let account = accounts::by_name(&tx, "Acme").await.expect("found");
        let account = account.expect("an account").id;
        let site = environments::create_site(&tx, account, "a-site", "Blog").await;
        tx.commit().await.expect("committed");
        Self {
            fleet: &world.test.fleet,
            store,
            account,
            site: site.expect("a site"),
        }
    }

    /// Has a receiver told; its id and secret.
    pub async fn tell(&self, url: &str, events: &[&str]) -> (ShortId, String) {
        let new = NewWebhookEndpoint {
            url: url.to_owned(),
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            description: String::new(),
            active: true,
        };
        let added = self
            .fleet
            .add_webhook_endpoint(&console(), self.account, new)
            .await;
        let (endpoint, secret) = added.expect("an endpoint");
        (endpoint.id, secret.into_inner())
    }

    pub async fn happens(&self, kind: &'static str, payload: Value) {
        happens(self.store, self.account, &self.site, kind, payload).await;
    }

    pub async fn deliveries(&self, endpoint: &ShortId) -> Vec<WebhookDelivery> {
        let found = self
            .fleet
            .list_webhook_deliveries(&console(), endpoint, None, 100_000)
            .await;
        found.expect("deliveries")
    }

    /// How many deliveries are in each state.
    pub async fn states(&self, endpoint: &ShortId) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for delivery in self.deliveries(endpoint).await {
            *states.entry(delivery.state).or_default() += 1;
        }
        states
    }
}

pub async fn happens(
    store: &Store,
    account: AccountId,
    site: &SiteRow,
    kind: &'static str,
    payload: Value,
) {
    let tx = store.begin().await.expect("a transaction");
    let new = NewEvent {
        kind,
        account_id: Some(account),
        subject: Some(("site", site.short_id.clone())),
        actor: "test".into(),
        payload,
        ..NewEvent::default()
    };
    events::emit(&tx, new).await.expect("an event");
    tx.commit().await.expect("committed");
}

pub async fn send_due(fleet: &Fleet) -> usize {
    let mut courier = Courier::new(fleet.clone());
    courier.send_due().await.expect("the store answers")
}

pub fn ids(received: &[Received]) -> BTreeSet<String> {
    received.iter().map(|one| one.id().to_owned()).collect()
}

/// Waits for a condition, at most half a minute.
pub async fn until(mut holds: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "it never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// As a receiver in another language does it, with nothing but its standard library.
pub async fn verify_in_python(secret: &str, message: &Received) {
    let script = "
import base64, hashlib, hmac, os
secret, body = os.environ['SECRET'], os.environ['BODY'].encode()
own = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
assert hmac.compare_digest(own, os.environ['OWN']), own
signed = (os.environ['ID'] + '.' + os.environ['AT'] + '.').encode() + body
key = base64.b64decode(secret.removeprefix('whsec_'))
standard = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
assert 'v1,' + standard in os.environ['STANDARD'].split(), standard
";
    let out = tokio::process::Command::new("python3")
        .args(["-c", script])
        .env("SECRET", secret)
        .env("BODY", &message.body)
        .env("OWN", message.header("x-wpsentinel-signature"))
        .env("ID", message.id())
        .env("AT", message.header("webhook-timestamp"))
        .env("STANDARD", message.header("webhook-signature"))
        .output()
        .await
        .expect("python3 is installed");
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{told}");
}
