//! Bodies that are handed on as they come.

use crate::{
    fake::{Bench, request, request_as},
    fleet::TestFleet,
};
use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

async fn bench() -> (TestFleet, Bench) {
    let test = TestFleet::sqlite().await;
    let bench = Bench::new(&test.fleet, 1000);
    (test, bench)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn they_may_be_of_any_length_and_are_no_json() {
    let (_test, bench) = bench().await;
    // Four hundred times what a route takes as a whole.
    let piece = Bytes::from(vec![b'{'; 64 * 1024]);
    let pieces = stream::iter((0..400).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
    let mut request = request("PUT", "/store", "");
    request.headers_mut().remove("content-length");
    request
        .headers_mut()
        .insert("transfer-encoding", "chunked".parse().expect("a value"));
    *request.body_mut() = Body::from_stream(pieces);
    let answer = bench.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(json(&answer.body)["bytes"], 400 * 64 * 1024);
    assert_eq!(json(&answer.body)["length"], "Open");
}

#[tokio::test]
async fn the_same_checks_come_first_and_no_key_is_heeded() {
    let (_test, bench) = bench().await;
    for (token, status) in [("nobody", 401), ("read-7", 403), ("7", 200)] {
        let answer = bench.send(request_as(token, "PUT", "/store", "abc")).await;
        assert_eq!(answer.status, status, "{token}: {}", answer.body);
    }
    for _ in 0..2 {
        let mut keyed = request("PUT", "/store", "abc");
        keyed
            .headers_mut()
            .insert("idempotency-key", "k".parse().expect("a value"));
        let answer = bench.send(keyed).await;
        assert_eq!(
            (answer.status, answer.header("idempotency-replayed")),
            (200, "")
        );
        assert_eq!(json(&answer.body)["length"], "Declared(3)");
    }
    let mut bare = request("PUT", "/store", "");
    bare.headers_mut().remove("content-length");
    assert_eq!(bench.send(bare).await.status, 411);
    assert_eq!(bench.send(request("POST", "/store", "")).await.status, 405);
}

#[tokio::test]
async fn what_breaks_off_is_an_error_and_what_is_refused_is_taken_in() {
    let (_test, bench) = bench().await;
    let broken = stream::iter([
        Ok(Bytes::from_static(b"abc")),
        Err(std::io::Error::other("gone")),
    ]);
    let mut request_of = request("PUT", "/store", "");
    *request_of.body_mut() = Body::from_stream(broken);
    assert_eq!(bench.send(request_of).await.status, 400);

    // Whoever is refused sees it, since what they still send is read.
    let read = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&read);
    let pieces = stream::iter(0..20).map(move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from_static(&[0; 1024]))
    });
    let mut refused = request("PUT", "/store", "");
    refused
        .headers_mut()
        .insert("content-type", "text/plain".parse().expect("a value"));
    *refused.body_mut() = Body::from_stream(pieces);
    assert_eq!(bench.send(refused).await.status, 415);
    assert_eq!(read.load(Ordering::SeqCst), 20);
}
