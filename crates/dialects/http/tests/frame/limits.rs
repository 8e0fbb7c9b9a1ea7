//! How often somebody may ask.

use crate::{
    fake::{Bench, request, request_as},
    fleet::on_both,
};
use std::time::Duration;

#[tokio::test]
async fn a_token_has_its_window_and_is_told_so() {
    on_both(async |test| {
        let bench = Bench::new(&test.fleet, 3);
        let mut seen = Vec::new();
        // The third request is refused for another reason: it counts, and is told.
        for path in ["/read", "/read", "/nothing", "/read", "/read"] {
            let answer = bench.send(request("GET", path, "")).await;
            seen.push((answer.status, answer.header("x-remaining").to_owned()));
            if answer.status == 429 {
                let wait: u64 = answer.header("retry-after").parse().expect("seconds");
                assert!((1..=61).contains(&wait), "{wait}");
            }
        }
        let seen: Vec<_> = seen
            .iter()
            .map(|(status, left)| (*status, left.as_str()))
            .collect();
        assert_eq!(
            seen,
            [(200, "2"), (200, "1"), (404, "0"), (429, "0"), (429, "0")]
        );
        // Another token has its own.
        assert_eq!(
            bench.send(request_as("2", "GET", "/read", "")).await.status,
            200
        );
        // Refused requests did not extend it.
        test.store.advance_clock(Duration::from_secs(61));
        assert_eq!(
            bench
                .send(request("GET", "/read", ""))
                .await
                .header("x-remaining"),
            "2"
        );
    })
    .await;
}

#[tokio::test]
async fn guessing_is_limited_by_address_and_harms_no_neighbour() {
    on_both(async |test| {
        let bench = Bench::new(&test.fleet, 100);
        for attempt in 0..8 {
            let answer = bench.send(request_as("wrong", "GET", "/read", "")).await;
            let expected = if attempt < 5 { 401 } else { 429 };
            assert_eq!(answer.status, expected, "{attempt}");
            assert_eq!(
                answer.header("x-remaining"),
                "",
                "nobody is told about a window"
            );
        }
        assert_eq!(bench.send(request("GET", "/read", "")).await.status, 200);
    })
    .await;
}
