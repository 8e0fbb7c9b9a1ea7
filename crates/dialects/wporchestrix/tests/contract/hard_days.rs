//! §6.4: what becomes of messages that do not arrive, and of those who send them.

use crate::{
    scene::{Scene, console, happens, ids, send_due, until},
    world::{ANA, rules, worlds},
};
use pressroom_dialect_wporchestrix::webhooks::compose;
use pressroom_fleet::webhooks::{Courier, Post, Rules};
use pressroom_testkit::receiver::{Manner, Receiver};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

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
        let tempers = [
            Manner::Drop,
            Manner::Stall,
            Manner::Fail,
            Manner::Redirect,
            Manner::HalfClose,
        ];
        let started = scene.store.now().await.expect("a time");
        for hour in 0..24 {
            moody.next(&tempers[..hour % 6]);
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
            !left.contains_key("pending") && left["given_up"] >= 1,
            "{left:?}"
        );
        let ana = world.sign_in(ANA).await;
        let log = world
            .get(&ana, "/activity_logs?event=webhook_endpoint.disabled")
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
        let arrived = receiver.received();
        assert_eq!((arrived.len(), ids(&arrived).len()), (2, 1));
        assert_eq!(arrived[0].body, arrived[1].body);
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
            let arrived = receiver.received();
            assert_eq!((arrived.len(), ids(&arrived).len()), (all, all));
            let records: BTreeSet<String> = arrived
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
