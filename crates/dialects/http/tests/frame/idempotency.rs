//! The same request again.

use crate::{
    fake::{Bench, keyed, request_as},
    fleet::on_both,
};
use futures_util::future::join_all;
use std::{sync::atomic::Ordering, time::Duration};

#[tokio::test]
async fn a_hundred_at_once_are_one_effect_and_one_answer() {
    on_both(async |test| {
        let bench = Bench::new(&test.fleet, 1000);
        let all = join_all((0..100).map(|_| bench.send(keyed("k1", "/act", r#"{"a":1}"#)))).await;
        assert_eq!(bench.acts(), 1);
        let replayed = all
            .iter()
            .filter(|answer| answer.header("idempotency-replayed") == "true")
            .count();
        assert_eq!(replayed, 99);
        for answer in &all {
            assert_eq!(answer.status, 201);
            assert_eq!(answer.body, r#"{"count":1,"said":{"a":1}}"#);
            assert_eq!(answer.header("content-type"), "application/json");
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_token() {
    on_both(async |test| {
        let bench = Bench::new(&test.fleet, 1000);
        assert_eq!(
            bench.send(keyed("k", "/act", r#"{"a":1}"#)).await.status,
            201
        );
        assert_eq!(
            bench.send(keyed("k", "/act", r#"{"a":2}"#)).await.status,
            422
        );
        assert_eq!(
            bench
                .send(keyed("k", "/act/alias", r#"{"a":1}"#))
                .await
                .status,
            422
        );
        let mut other = request_as("2", "POST", "/act", r#"{"a":1}"#);
        other
            .headers_mut()
            .insert("idempotency-key", "k".parse().expect("a value"));
        let answer = bench.send(other).await;
        assert_eq!(
            (answer.status, answer.header("idempotency-replayed")),
            (201, "")
        );
        assert_eq!(bench.acts(), 2);
        // Without a key nothing is remembered.
        bench
            .send(request_as("1", "POST", "/act", r#"{"a":1}"#))
            .await;
        assert_eq!(bench.acts(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_a_key() {
    on_both(async |test| {
        let bench = Bench::new(&test.fleet, 1000);
        for key in ["", "\u{1}\u{1}", &"k".repeat(256)] {
            let Ok(value) = key.parse() else { continue };
            let mut request = request_as("1", "POST", "/act", "{}");
            request.headers_mut().insert("idempotency-key", value);
            assert_eq!(bench.send(request).await.status, 400, "{key:?}");
        }
        assert_eq!(
            bench
                .send(keyed(&"k".repeat(255), "/act", "{}"))
                .await
                .status,
            201
        );
        let mut twice = keyed("a", "/act", "{}");
        twice
            .headers_mut()
            .append("idempotency-key", "b".parse().expect("a value"));
        assert_eq!(bench.send(twice).await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn only_answers_that_stay_true_are_kept() {
    on_both(async |test| {
        let bench = Bench::new(&test.fleet, 1000);
        let failures = || bench.effects.failures.load(Ordering::SeqCst);
        // (kind, status, whether the handler runs again)
        for (kind, status, again) in [
            ("invalid", 400, false),
            ("conflict", 409, false),
            ("busy", 409, true),
            ("remote", 502, true),
            ("internal", 500, true),
        ] {
            let path = format!("/fail/{kind}");
            let before = failures();
            let first = bench.send(keyed(kind, &path, "{}")).await;
            let second = bench.send(keyed(kind, &path, "{}")).await;
            assert_eq!((first.status, second.status), (status, status), "{kind}");
            assert_eq!(failures() - before, if again { 2 } else { 1 }, "{kind}");
            assert_eq!(
                first.body == second.body,
                !again,
                "{kind}: a reference tells them apart"
            );
        }
        let first = bench.send(keyed("p", "/panic", "{}")).await;
        let second = bench.send(keyed("p", "/panic", "{}")).await;
        assert_eq!((first.status, second.status), (500, 500));
    })
    .await;
}

#[tokio::test]
async fn hanging_up_does_not_stop_the_work() {
    on_both(async |test| {
        let bench = Bench::new(&test.fleet, 1000);
        let hung_up = tokio::time::timeout(
            Duration::from_millis(200),
            bench.send(keyed("s", "/slow", "{}")),
        )
        .await;
        assert!(hung_up.is_err(), "the gate is closed");
        bench.gate.add_permits(1);
        // Waits for the first to end; its own handler would wait at the gate for ever.
        let answer = bench.send(keyed("s", "/slow", "{}")).await;
        assert_eq!(
            (answer.status, answer.header("idempotency-replayed")),
            (200, "true")
        );
        assert_eq!(bench.acts(), 1);
    })
    .await;
}
