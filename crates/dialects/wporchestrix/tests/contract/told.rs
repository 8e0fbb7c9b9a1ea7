//! §6: how events are told, and what becomes of those that do not arrive.

use crate::{
    receiver::{Manner, Received, Receiver},
    world::{ANA, World, rules, worlds},
};
use pressroom_base::id::{AccountId, ShortId};
use pressroom_dialect_wporchestrix::webhooks::compose;
use pressroom_fleet::{
    Caller, Fleet, Principal,
    webhooks::{Courier, NewWebhookEndpoint, Post, Rules, WebhookDelivery},
};
use pressroom_store::{NewEvent, SiteRow, Store, accounts, environments, events};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

fn console() -> Caller {
    Caller::new(Principal::console())
}

/// An account's site, and who is told of it.
struct Scene<'w> {
    fleet: &'w Fleet,
    store: &'w Store,
    account: AccountId,
    site: SiteRow,
}

impl<'w> Scene<'w> {
    async fn of(world: &'w World) -> Self {
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
    async fn tell(&self, url: &str, events: &[&str]) -> (ShortId, String) {
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

    async fn happens(&self, kind: &'static str, payload: Value) {
        happens(self.store, self.account, &self.site, kind, payload).await;
    }

    async fn deliveries(&self, endpoint: &ShortId) -> Vec<WebhookDelivery> {
        let found = self
            .fleet
            .list_webhook_deliveries(&console(), endpoint, None, 100_000)
            .await;
        found.expect("deliveries")
    }

    /// How many deliveries are in each state.
    async fn states(&self, endpoint: &ShortId) -> BTreeMap<&'static str, usize> {
        let mut states = BTreeMap::new();
        for delivery in self.deliveries(endpoint).await {
            *states.entry(delivery.state).or_default() += 1;
        }
        states
    }
}

async fn happens(
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

async fn send_due(fleet: &Fleet) -> usize {
    let mut courier = Courier::new(fleet.clone());
    courier.send_due().await.expect("the store answers")
}

fn ids(received: &[Received]) -> BTreeSet<String> {
    received.iter().map(|one| one.id().to_owned()).collect()
}

/// Waits for a condition, at most half a minute.
async fn until(mut holds: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "it never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

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
        let received = receiver.received();
        let [message] = received.as_slice() else {
            panic!("{received:?}");
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

/// As a receiver in another language does it, with nothing but its standard library.
async fn verify_in_python(secret: &str, message: &Received) {
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
        let received = receiver.received();
        assert_eq!((received.len(), ids(&received).len()), (8, 1));
        let bodies: BTreeSet<_> = received.iter().map(|one| one.body.clone()).collect();
        assert_eq!(bodies.len(), 1, "{bodies:?}");
        let times: BTreeSet<_> = received
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

/// What drops, stalls, answers 500, redirects and half-closes, for a simulated day.
#[tokio::test]
async fn s6_a_day_of_bad_receivers() {
    worlds(async |world| {
        let mut scene = Scene::of(&world).await;
        let hasty = Rules {
            patience: Duration::from_millis(100),
            ..rules()
        };
        let fleet = scene.fleet.clone().with_post(Post::new(compose, hasty));
        scene.fleet = &fleet;
        let good = Receiver::that(Manner::Ok).await;
        let bad = Receiver::that(Manner::Fail).await;
        let moody = Receiver::that(Manner::Ok).await;
        let stalling = Receiver::that(Manner::Stall).await;
        let leaving = Receiver::that(Manner::Ok).await;
        let (good_id, _) = scene.tell(&good.url(), &["*"]).await;
        let (bad_id, _) = scene.tell(&bad.url(), &["*"]).await;
        let (moody_id, secret) = scene.tell(&moody.url(), &["*"]).await;
        let (stalling_id, _) = scene.tell(&stalling.url(), &["site.down"]).await;
        let (leaving_id, _) = scene.tell(&leaving.url(), &["*"]).await;
        let (dead_id, _) = scene.tell("http://127.0.0.1:1/", &["*"]).await;
        let moods = [
            Manner::Drop,
            Manner::Stall,
            Manner::Fail,
            Manner::Redirect,
            Manner::HalfClose,
        ];
        let started = scene.store.now().await.expect("a time");
        for hour in 0..24 {
            moody.next(&moods[..hour % 6]);
            if hour == 12 {
                leaving.becomes(Manner::Gone);
            }
            scene.happens("site.down", json!({ "error": hour })).await;
            scene
                .happens("site.recovered", json!({ "downtime_seconds": hour }))
                .await;
            for _ in 0..4 {
                send_due(scene.fleet).await;
                scene.store.advance_clock(Duration::from_mins(15));
            }
        }
        let now = scene.store.now().await.expect("a time");
        assert!(now >= started.plus(Duration::from_hours(24)));
        // What still waits comes to its end.
        for _ in 0..20 {
            scene.store.advance_clock(Duration::from_hours(2));
            send_due(scene.fleet).await;
        }
        let all = |state| BTreeMap::from([(state, 48)]);
        assert_eq!(scene.states(&good_id).await, all("delivered"));
        assert_eq!(scene.states(&moody_id).await, all("delivered"));
        assert_eq!(scene.states(&bad_id).await, all("given_up"));
        let halves = BTreeMap::from([("given_up", 24)]);
        assert_eq!(scene.states(&stalling_id).await, halves);
        assert_eq!(scene.states(&dead_id).await, all("given_up"));
        for given_up in [&bad_id, &stalling_id, &dead_id] {
            for delivery in scene.deliveries(given_up).await {
                assert_eq!(delivery.attempts, 8, "{delivery:?}");
                assert!(delivery.last_error.is_some(), "{delivery:?}");
            }
        }
        // Everything that was taken was taken once, and what came again was the same.
        assert_eq!(
            (good.received().len(), ids(&good.received()).len()),
            (48, 48)
        );
        let came = moody.received();
        let taken = came.iter().filter(|one| one.manner == Manner::Ok).count();
        assert_eq!((taken, ids(&came).len()), (48, 48));
        let judge = Webhook::new(&secret).expect("a secret");
        let mut said: HashMap<&str, &str> = HashMap::new();
        for one in &came {
            let first = said.entry(one.id()).or_insert(&one.body);
            assert_eq!(*first, one.body);
            let at = one.header("webhook-timestamp").parse().expect("a number");
            let signed = judge.sign(one.id(), at, one.body.as_bytes());
            assert_eq!(signed.expect("signed"), one.header("webhook-signature"));
        }
        // Told that it is gone, nobody asks again; and it is told nothing later.
        let gone = scene
            .fleet
            .find_webhook_endpoint(&console(), &leaving_id)
            .await;
        let gone = gone.expect("it is listed");
        assert!(!gone.active);
        assert_eq!(gone.disabled_reason.as_deref(), Some("gone"));
        let left = scene.states(&leaving_id).await;
        assert_eq!(left["delivered"], 24);
        assert!(
            left.get("pending").is_none() && left["given_up"] >= 1,
            "{left:?}"
        );
        let token = world.sign_in(ANA).await;
        let log = world
            .get(&token, "/activity_logs?event=webhook_endpoint.disabled")
            .await;
        assert_eq!(log.body[0]["metadata"]["reason"], "gone");
        assert!(!log.text.contains("hidden"), "{}", log.text);
    })
    .await;
}

#[tokio::test]
async fn s6_five_days_of_failures_are_enough() {
    worlds(async |world| {
        let scene = Scene::of(&world).await;
        let receiver = Receiver::that(Manner::Fail).await;
        let (id, _) = scene.tell(&receiver.url(), &["site.down"]).await;
        let find = async || {
            let found = scene.fleet.find_webhook_endpoint(&console(), &id).await;
            found.expect("it is there")
        };
        for day in 0..5 {
            assert!(find().await.active, "day {day}");
            scene.happens("site.down", json!({})).await;
            send_due(scene.fleet).await;
            scene.store.advance_clock(Duration::from_hours(24));
        }
        scene.happens("site.down", json!({})).await;
        send_due(scene.fleet).await;
        let now = find().await;
        assert!(!now.active && now.failure_count >= 5, "{now:?}");
        assert_eq!(now.disabled_reason.as_deref(), Some("failing"));
        assert_eq!(scene.states(&id).await, BTreeMap::from([("given_up", 6)]));
        scene.happens("site.down", json!({})).await;
        assert_eq!(scene.deliveries(&id).await.len(), 6, "it is told nothing");

        // Switched on again, it begins anew.
        let token = world.sign_in(ANA).await;
        let headers = [("authorization", token.as_str())];
        let path = format!("/webhook_endpoints/whe_{id}");
        let body = Some(json!({ "active": true }).to_string());
        let reply = world
            .send(reqwest::Method::PATCH, &path, &headers, body)
            .await;
        assert_eq!(reply.body["failure_count"], 0, "{}", reply.text);
        assert_eq!(reply.body["disabled_reason"], Value::Null);
        receiver.becomes(Manner::Ok);
        scene.happens("site.down", json!({})).await;
        assert_eq!(send_due(scene.fleet).await, 1);
        assert!(find().await.active);
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
        let received = receiver.received();
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
        assert!(signs(&new, &received[0]) && signs(&old, &received[0]));
        assert!(signs(&new, &received[1]) && !signs(&old, &received[1]));
        verify_in_python(&old, &received[0]).await;
        verify_in_python(&new, &received[1]).await;
    })
    .await;
}

#[tokio::test]
async fn s6_one_that_stalls_holds_up_nobody() {
    worlds(async |world| {
        let scene = Scene::of(&world).await;
        let fleet = scene.fleet.clone().with_post(Post::new(
            compose,
            Rules {
                patience: Duration::from_mins(1),
                ..rules()
            },
        ));
        let stalling = Receiver::that(Manner::Stall).await;
        let good = Receiver::that(Manner::Ok).await;
        // The one that stalls is asked first, and has more waiting than may run at once.
        scene.tell(&stalling.url(), &["site.down"]).await;
        for _ in 0..40 {
            scene.happens("site.down", json!({})).await;
        }
        scene.tell(&good.url(), &["site.recovered"]).await;
        for _ in 0..40 {
            scene.happens("site.recovered", json!({})).await;
        }
        let stop = CancellationToken::new();
        let running = tokio::spawn(Courier::new(fleet).run(stop.clone()));
        until(|| good.received().len() == 40).await;
        assert!((1..=4).contains(&stalling.received().len()));
        running.abort();
    })
    .await;
}

#[tokio::test]
async fn s6_a_sender_that_dies_is_followed_by_another() {
    worlds(async |world| {
        let scene = Scene::of(&world).await;
        let receiver = Receiver::that(Manner::Ok).await;
        let (id, _) = scene.tell(&receiver.url(), &["site.down"]).await;
        scene.happens("site.down", json!({})).await;
        receiver.next(&[Manner::Stall]);
        let patient = Rules {
            patience: Duration::from_mins(1),
            ..rules()
        };
        let fleet = scene.fleet.clone().with_post(Post::new(compose, patient));
        let mut dying = Courier::new(fleet);
        assert_eq!(dying.begin().await.expect("begun"), 1);
        until(|| receiver.received().len() == 1).await;
        drop(dying);
        assert_eq!(send_due(scene.fleet).await, 0, "it is claimed");
        scene.store.advance_clock(Duration::from_secs(61));
        assert_eq!(send_due(scene.fleet).await, 1);
        let received = receiver.received();
        assert_eq!((received.len(), ids(&received).len()), (2, 1));
        assert_eq!(received[0].body, received[1].body);
        assert_eq!(scene.states(&id).await, BTreeMap::from([("delivered", 1)]));
    })
    .await;
}

/// Fifty who write while two send.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s6_nothing_is_lost_or_doubled_with_fifty_writers() {
    worlds(async |world| {
        const WRITERS: usize = 50;
        const EACH: usize = 10;
        let scene = Scene::of(&world).await;
        let (one, other) = (
            Receiver::that(Manner::Ok).await,
            Receiver::that(Manner::Ok).await,
        );
        let (one_id, _) = scene.tell(&one.url(), &["*"]).await;
        let (other_id, _) = scene.tell(&other.url(), &["dns.changed"]).await;
        let stop = CancellationToken::new();
        let patient = || {
            let rules = Rules {
                patience: Duration::from_secs(20),
                ..rules()
            };
            scene.fleet.clone().with_post(Post::new(compose, rules))
        };
        let couriers: Vec<_> = (0..2)
            .map(|_| tokio::spawn(Courier::new(patient()).run(stop.clone())))
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, site, account) =
                    (scene.store.clone(), scene.site.clone(), scene.account);
                tokio::spawn(async move {
                    for number in 0..EACH {
                        let record = format!("{writer}-{number}");
                        let payload = json!({ "record": record });
                        happens(&store, account, &site, "dns.changed", payload).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.expect("written");
        }
        let all = WRITERS * EACH;
        until(|| one.received().len() >= all && other.received().len() >= all).await;
        stop.cancel();
        for courier in couriers {
            courier.await.expect("ended");
        }
        for (receiver, id) in [(&one, &one_id), (&other, &other_id)] {
            let received = receiver.received();
            assert_eq!((received.len(), ids(&received).len()), (all, all));
            let records: BTreeSet<String> = received
                .iter()
                .map(|one| {
                    let body: Value = serde_json::from_str(&one.body).expect("JSON");
                    body["data"]["record"]
                        .as_str()
                        .expect("a record")
                        .to_owned()
                })
                .collect();
            assert_eq!(records.len(), all);
            assert_eq!(scene.states(id).await, BTreeMap::from([("delivered", all)]));
        }
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
