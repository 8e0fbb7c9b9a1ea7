//! Routing, methods, bodies, panics.

use crate::{
    fake::{Bench, METHODS, request, request_as},
    fleet::TestFleet,
};
use axum::{body::Body, http::Request};
use futures_util::stream;
use serde_json::Value;

async fn bench() -> (TestFleet, Bench) {
    let test = TestFleet::sqlite().await;
    let bench = Bench::new(&test.fleet, 1000);
    (test, bench)
}

#[tokio::test]
async fn methods_and_slashes_are_as_the_table_says() {
    let (_test, bench) = bench().await;
    assert_eq!(
        bench.send(request("GET", "/read?q=1", "")).await.body,
        r#"{"head":false,"q":"1"}"#
    );
    assert_eq!(
        bench.send(request("GET", "/read/?q=1", "")).await.status,
        200
    );
    assert_eq!(
        bench
            .send(request("POST", "/act/alias/", "{}"))
            .await
            .status,
        201
    );
    assert_eq!(bench.send(request("GET", "/nothing", "")).await.status, 404);
    for method in METHODS {
        let answer = bench.send(request(method.as_str(), "/read", "")).await;
        let expected = if method == "GET" { 200 } else { 405 };
        assert_eq!(answer.status, expected, "{method}");
        if expected == 405 {
            assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS");
        }
    }
}

#[tokio::test]
async fn head_tells_the_length_and_options_needs_nobody() {
    let (_test, bench) = bench().await;
    let head = bench.send(request("HEAD", "/read", "")).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(
        head.header("content-length"),
        r#"{"head":true,"q":null}"#.len().to_string()
    );
    let anonymous = |path: &str| {
        Request::builder()
            .method("OPTIONS")
            .uri(path)
            .body(Body::empty())
            .expect("a request")
    };
    let options = bench.send(anonymous("/act")).await;
    assert_eq!(
        (options.status, options.header("allow")),
        (204, "OPTIONS, POST")
    );
    assert_eq!(bench.send(anonymous("/nothing")).await.status, 401);
}

#[tokio::test]
async fn a_read_only_credential_reads() {
    let (_test, bench) = bench().await;
    assert_eq!(
        bench
            .send(request_as("read-7", "GET", "/read", ""))
            .await
            .status,
        200
    );
    assert_eq!(
        bench
            .send(request_as("read-7", "POST", "/act", "{}"))
            .await
            .status,
        403
    );
    assert_eq!(bench.acts(), 0);
}

#[tokio::test]
async fn what_is_too_long_is_not_read() {
    let (_test, bench) = bench().await;
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(200));
    // Declared: refused before anybody asks who it is.
    assert_eq!(
        bench
            .send(request_as("nobody", "POST", "/act", &long))
            .await
            .status,
        413
    );
    // Not declared: cut where the limit is.
    let chunks = stream::iter((0..50).map(|_| Ok::<_, std::io::Error>("0123456789")));
    let mut chunked = request("POST", "/act", "");
    chunked.headers_mut().remove("content-length");
    *chunked.body_mut() = Body::from_stream(chunks);
    assert_eq!(bench.send(chunked).await.status, 413);
    assert_eq!(bench.acts(), 0);
}

#[tokio::test]
async fn a_body_is_an_object_or_nothing() {
    let (_test, bench) = bench().await;
    for body in ["", " ", "{}", r#"{"a":[1]}"#] {
        assert_eq!(
            bench.send(request("POST", "/act", body)).await.status,
            201,
            "{body}"
        );
    }
    for body in ["{", "[]", "nope", "\"x\"", r#"{"a":"\u0000"}"#] {
        assert_eq!(
            bench.send(request("POST", "/act", body)).await.status,
            400,
            "{body}"
        );
    }
    assert_eq!(bench.acts(), 4);
}

#[tokio::test]
async fn a_query_that_names_a_thing_twice_is_refused() {
    let (_test, bench) = bench().await;
    assert_eq!(
        bench.send(request("GET", "/read?q=1&q=2", "")).await.status,
        400
    );
    assert_eq!(
        bench.send(request("GET", "/read?q=%00", "")).await.status,
        400
    );
}

#[tokio::test]
async fn a_panic_is_an_answer_with_a_reference() {
    let (_test, bench) = bench().await;
    let answer = bench.send(request("POST", "/panic", "{}")).await;
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(answer.status, 500);
    assert_eq!(body["fault"], "Panicked");
    assert_eq!(body["reference"], answer.header("x-request-id"));
    assert_eq!(bench.send(request("GET", "/read", "")).await.status, 200);
}

#[tokio::test]
async fn the_document_is_open_and_complete() {
    let (_test, bench) = bench().await;
    let anonymous = Request::builder()
        .uri("/openapi.json")
        .body(Body::empty())
        .expect("a request");
    let answer = bench.send(anonymous).await;
    assert_eq!(answer.status, 200);
    let document: Value = serde_json::from_str(&answer.body).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let mut listed: Vec<_> = paths.keys().map(String::as_str).collect();
    listed.sort_unstable();
    assert_eq!(
        listed,
        [
            "/act",
            "/fail/{kind}",
            "/openapi.json",
            "/panic",
            "/read",
            "/slow",
            "/store"
        ]
    );
    assert_eq!(
        document["paths"]["/fail/{kind}"]["post"]["operationId"],
        "F4"
    );
    assert_eq!(
        document["paths"]["/fail/{kind}"]["post"]["parameters"][0]["in"],
        "path"
    );
}

#[tokio::test]
async fn nothing_but_the_store_is_reached() {
    let (test, bench) = bench().await;
    for path in ["/act", "/fail/remote", "/panic"] {
        bench.send(request("POST", path, "{}")).await;
    }
    assert!(!test.hosting.status().await.is_up());
    let left: Vec<_> = std::fs::read_dir(test.dir.path())
        .expect("the test's directory")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| !name.to_string_lossy().starts_with("pressroom.db") && name != "archive")
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let archived = std::fs::read_dir(test.dir.path().join("archive")).expect("the archive");
    assert_eq!(archived.count(), 0);
}
