//! §6: how events are told, and told again.

use crate::{
    scene::{Scene, console, ids, send_due, verify_in_python},
    world::{ANA, worlds},
};
use pressroom_dialect_wporchestrix::webhooks::compose;
use pressroom_fleet::webhooks::{Post, Rules};
use pressroom_store::environments;
use pressroom_testkit::receiver::{Manner, Received, Receiver};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

#[tokio::test]
async fn s6_a_message_is_signed_for_whoever_knows_only_the_standard() {
    worlds(async |world| {
        let scene = Scene::of(&world).await;
        let receiver = Receiver::that(Manner::Ok).await;
        let (id, secret) = scene.tell(&receiver.url(), &["*"]).await;
        scene
            .happens(
                "site.down",
                json!({ "http_status": 502, "error": "bad gateway", "row": 7 }),
            )
            .await;
        // Nobody outside is told of these.
        scene.happens("user.signed_in", json!({})).await;
        scene.happens("upgrade.awaiting_approval", json!({})).await;
        assert_eq!(send_due(scene.fleet).await, 1);
        let arrived = receiver.received();
        let [message] = arrived.as_slice() else {
            panic!("{arrived:?}");
        };
        let body: Value = serde_json::from_str(&message.body).expect("JSON");
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(4));
        assert_eq!(body["event"], "site.down");
        assert_eq!(
            body["site"],
            json!({ "id": format!("site_{}", scene.site.short_id), "name": "Blog", "url": null })
        );
        assert_eq!(
            body["data"],
            json!({
                "health_check_id": null, "http_status": 502, "error": "bad gateway",
                "failing_since": null,
            })
        );
        assert_eq!(message.header("content-type"), "application/json");
        assert_eq!(message.header("user-agent"), "WPOrchestrix-Webhook/1");
        assert_eq!(message.header("x-wpsentinel-event"), "site.down");
        assert!(message.id().starts_with("evt_"));

        let judge = Webhook::new(&secret).expect("a secret of the standard");
        let verified = judge.verify(message.body.as_bytes(), &message.headers);
        verified.expect("it is signed");
        let altered = message.body.replace("502", "200");
        let refused = judge.verify(altered.as_bytes(), &message.headers);
        assert!(refused.is_err(), "an altered message passes");
        verify_in_python(&secret, message).await;
        let shown = scene.fleet.find_webhook_endpoint(&console(), &id).await;
        let last = shown.expect("it is there").last_delivery.expect("one");
        assert_eq!((last.event.as_str(), last.status), ("site.down", Some(200)));
    })
    .await;
}

#[tokio::test]
async fn s6_retries_say_the_same_at_the_contracts_times() {
    worlds(async |world| {
        let scene = Scene::of(&world).await;
        let receiver = Receiver::that(Manner::Fail).await;
        let (id, _) = scene.tell(&receiver.url(), &["site.down"]).await;
        scene.happens("site.down", json!({ "error": "x" })).await;
        // What happens to the site afterwards changes nothing.
        let tx = scene.store.begin().await.expect("a transaction");
        let elsewhere = environments::create_site(&tx, scene.account, "another", "Other").await;
        elsewhere.expect("a site");
        tx.commit().await.expect("committed");
        assert_eq!(send_due(scene.fleet).await, 1);
        for (seconds, attempts) in [
            (5, 2),
            (300, 3),
            (1800, 4),
            (7200, 5),
            (18_000, 6),
            (36_000, 7),
            (50_400, 8),
        ] {
            // A tenth sooner at the soonest, a tenth later at the latest.
            scene
                .store
                .advance_clock(Duration::from_millis(seconds * 880));
            assert_eq!(send_due(scene.fleet).await, 0, "before {seconds} s");
            scene
                .store
                .advance_clock(Duration::from_millis(seconds * 230));
            assert_eq!(send_due(scene.fleet).await, 1, "after {seconds} s");
            assert_eq!(scene.deliveries(&id).await[0].attempts, attempts);
        }
        let delivery = &scene.deliveries(&id).await[0];
        assert_eq!(delivery.state, "given_up");
        assert_eq!(delivery.last_error.as_deref(), Some("answered 500"));
        scene.store.advance_clock(Duration::from_hours(48));
        assert_eq!(send_due(scene.fleet).await, 0);
        let arrived = receiver.received();
        assert_eq!((arrived.len(), ids(&arrived).len()), (8, 1));
        let bodies: BTreeSet<_> = arrived.iter().map(|one| one.body.clone()).collect();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        let times: BTreeSet<_> = arrived
            .iter()
            .map(|one| one.header("webhook-timestamp").to_owned())
            .collect();
        assert_eq!(times.len(), 8, "each is signed when it is sent");

        // What was given up goes out again when somebody asks for that, as itself.
        receiver.becomes(Manner::Ok);
        let replayed = scene.fleet.replay_given_up_webhooks(&console(), &id).await;
        assert_eq!(replayed.expect("queued").queued, 1);
        assert_eq!(send_due(scene.fleet).await, 1);
        assert_eq!(scene.states(&id).await, BTreeMap::from([("delivered", 1)]));
        assert_eq!(ids(&receiver.received()).len(), 1);
        let one = scene.deliveries(&id).await.remove(0).id;
        let again = scene.fleet.replay_webhook(&console(), &one).await;
        assert_eq!(again.expect("queued").queued, 1);
        let twice = scene.fleet.replay_webhook(&console(), &one).await;
        assert!(twice.is_err(), "it is pending");
    })
    .await;
}

#[tokio::test]
async fn s6_for_a_day_after_a_rotation_both_secrets_sign() {
    worlds(async |world| {
        let scene = Scene::of(&world).await;
        let receiver = Receiver::that(Manner::Ok).await;
        let (id, old) = scene.tell(&receiver.url(), &["site.down"]).await;
        let token = world.sign_in(ANA).await;
        let headers = [("authorization", token.as_str())];
        let path = format!("/webhook_endpoints/whe_{id}");
        let body = Some(json!({ "rotate_secret": true }).to_string());
        let reply = world
            .send(reqwest::Method::PATCH, &path, &headers, body)
            .await;
        let new = reply.string("secret").expect("a secret");
        scene.happens("site.down", json!({})).await;
        send_due(scene.fleet).await;
        scene
            .store
            .advance_clock(Duration::from_hours(24) + Duration::from_secs(1));
        scene.happens("site.down", json!({})).await;
        send_due(scene.fleet).await;
        let arrived = receiver.received();
        let signs = |secret: &str, one: &Received| {
            let judge = Webhook::new(secret).expect("a secret");
            let at = one.header("webhook-timestamp").parse().expect("a number");
            let signed = judge
                .sign(one.id(), at, one.body.as_bytes())
                .expect("signed");
            one.header("webhook-signature")
                .split(' ')
                .any(|one| one == signed)
        };
        assert!(signs(&new, &arrived[0]) && signs(&old, &arrived[0]));
        assert!(signs(&new, &arrived[1]) && !signs(&old, &arrived[1]));
        verify_in_python(&old, &arrived[0]).await;
        verify_in_python(&new, &arrived[1]).await;
    })
    .await;
}

/// Names that lead where the test says.
#[derive(Default)]
struct Names(Mutex<HashMap<String, std::net::IpAddr>>);

impl pressroom_fleet::webhooks::LookUp for Names {
    fn look_up(
        &self,
        host: String,
    ) -> futures_util::future::BoxFuture<'static, io::Result<Vec<std::net::IpAddr>>> {
        let found = self.0.lock().expect("whole").get(&host).copied();
        Box::pin(async move {
            found
                .map(|ip| vec![ip])
                .ok_or(io::ErrorKind::NotFound.into())
        })
    }
}

#[tokio::test]
async fn s6_a_name_that_leads_inside_by_now_is_not_followed() {
    worlds(async |world| {
        let names = Arc::new(Names::default());
        let point = |ip: &str| {
            let ip = ip.parse().expect("an address");
            names
                .0
                .lock()
                .expect("whole")
                .insert("hooks.example".into(), ip);
        };
        let strict = Rules {
            patience: Duration::from_millis(500),
            names: names.clone(),
            ..Rules::default()
        };
        let mut scene = Scene::of(&world).await;
        let fleet = scene.fleet.clone().with_post(Post::new(compose, strict));
        scene.fleet = &fleet;
        let receiver = Receiver::that(Manner::Ok).await;
        point("1.1.1.1");
        let url = format!("https://hooks.example:{}/", receiver.port);
        let (id, _) = scene.tell(&url, &["site.down"]).await;
        point("127.0.0.1");
        scene.happens("site.down", json!({})).await;
        assert_eq!(send_due(scene.fleet).await, 1);
        let delivery = scene.deliveries(&id).await.remove(0);
        assert_eq!((delivery.state, delivery.attempts), ("pending", 1));
        assert_eq!(
            delivery.last_error.as_deref(),
            Some("the address leads to a private network")
        );
        assert!(receiver.received().is_empty());
        let trial = scene.fleet.try_webhook_endpoint(&console(), &id).await;
        assert!(!trial.expect("tried").delivered);
    })
    .await;
}

#[tokio::test]
async fn s6_a_trial_is_signed_and_counts_for_nothing() {
    worlds(async |world| {
        let scene = Scene::of(&world).await;
        let receiver = Receiver::that(Manner::Ok).await;
        let (id, secret) = scene.tell(&receiver.url(), &["site.down"]).await;
        let trial = scene.fleet.try_webhook_endpoint(&console(), &id).await;
        let trial = trial.expect("tried");
        assert_eq!(
            (trial.delivered, trial.answer.as_deref()),
            (true, Some("ok"))
        );
        receiver.becomes(Manner::Fail);
        let trial = scene.fleet.try_webhook_endpoint(&console(), &id).await;
        assert_eq!(trial.expect("tried").status, Some(500));
        let message = &receiver.received()[0];
        let judge = Webhook::new(&secret).expect("a secret");
        judge
            .verify(message.body.as_bytes(), &message.headers)
            .expect("signed");
        assert_eq!(message.header("x-wpsentinel-event"), "webhook.test");
        let endpoint = scene.fleet.find_webhook_endpoint(&console(), &id).await;
        assert_eq!(endpoint.expect("there").failure_count, 0);
        assert!(scene.deliveries(&id).await.is_empty());
    })
    .await;
}
