//! §1: credentials, limits, methods, repetition.

use crate::{
    fleet::on_both,
    world::{BOUND_HOST, Who, World, assert_error, full, generous, worlds},
};
use pressroom_base::{Kind, Timestamp, id::TokenId};
use pressroom_dialect_http::Limits;
use pressroom_dialect_wispanel::WisPanel;
use pressroom_fleet::{Caller, Principal};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

const LIST: &str = "/installations";

#[tokio::test]
async fn s1_keys_that_open_nothing() {
    worlds(async |world| {
        let reply = world.get(Who::Nobody, LIST).await;
        assert_error(&reply, 401, "UNAUTHORIZED", "Missing authorization");
        assert_eq!(
            reply.header("www-authenticate"),
            Some(r#"Bearer realm="wispanel""#)
        );
        for who in [Who::UnknownKey, Who::ExpiredKey, Who::DisabledKey] {
            let reply = world.get(who, LIST).await;
            assert_error(&reply, 401, "UNAUTHORIZED", "Invalid API key");
            assert!(reply.header("x-ratelimit-limit").is_none(), "{who:?}");
        }
        let key = world.key(Who::Member).expect("a key");
        for value in [
            format!("token {key}"),
            format!("Basic {key}"),
            key.to_owned(),
        ] {
            let headers = [("authorization", value.as_str())];
            let sent = world
                .api(Who::Nobody)
                .send(Method::GET, &full(LIST), &headers, None)
                .await;
            assert_error(
                &sent.expect("an answer"),
                401,
                "UNAUTHORIZED",
                "Invalid API key",
            );
        }
        let two = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
        let sent = world
            .api(Who::Nobody)
            .send(Method::GET, &full(LIST), &two, None)
            .await;
        assert_eq!(sent.expect("an answer").status, 400);
    })
    .await;
}

#[tokio::test]
async fn s1_a_key_lapses_while_it_is_used() {
    worlds(async |world| {
        let soon = Timestamp::now().plus(Duration::from_millis(400));
        let key = world
            .issue("mia@example.com", &["all"], &[], Some(soon))
            .await;
        let api = world.api_with(&key);
        assert_eq!(api.get(&full(LIST)).await.expect("an answer").status, 200);
        let lapsed = pressroom_testkit::eventually("lapsing", Duration::from_secs(10), || async {
            let reply = api.get(&full(LIST)).await?;
            reply.expect(401)
        });
        assert!(lapsed.await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn s1_a_revoked_key_opens_nothing() {
    worlds(async |world| {
        let key = world.issue("mia@example.com", &["all"], &[], None).await;
        let api = world.api_with(&key);
        assert_eq!(api.get(&full(LIST)).await.expect("an answer").status, 200);
        let console = Caller::new(Principal::console());
        let fleet = &world.test.fleet;
        let listed = fleet.list_tokens(&console).await.expect("a list");
        let token = listed.last().expect("the one just issued");
        assert!(key.starts_with(&token.prefix) && token.state == "active");
        assert_eq!(token.user.as_deref(), Some("mia@example.com"));
        for already in [false, true] {
            let revoked = fleet.revoke_token(&console, token.id).await;
            let revoked = revoked.expect("revoking again is no error");
            assert_eq!(revoked.already, already);
            assert_eq!(revoked.token.state, "revoked");
            let reply = api.get(&full(LIST)).await.expect("an answer");
            assert_error(&reply, 401, "UNAUTHORIZED", "Invalid API key");
        }
        // The others go on.
        assert_eq!(world.get(Who::Member, LIST).await.status, 200);
        let unknown = fleet.revoke_token(&console, TokenId::new(999_999)).await;
        assert_eq!(unknown.unwrap_err().kind(), Kind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn s1_a_key_may_be_tied_to_networks() {
    worlds(async |world| {
        for (networks, status) in [
            (&["127.0.0.0/8"][..], 200),
            (&["10.0.0.0/8", "127.0.0.1"][..], 200),
            (&["10.0.0.0/8"][..], 403),
            (&["::1/128"][..], 403),
        ] {
            let key = world
                .issue("mia@example.com", &["all"], networks, None)
                .await;
            let reply = world
                .api_with(&key)
                .get(&full(LIST))
                .await
                .expect("an answer");
            assert_eq!(reply.status, status, "{networks:?}");
            if status == 403 {
                assert_error(&reply, 403, "FORBIDDEN", "IP address not allowed");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn s1_scopes_limit_a_key() {
    worlds(async |world| {
        let text = "API key is not scoped for 'wordpress'";
        assert_eq!(world.get(Who::ReadOnly, LIST).await.status, 200);
        // Trap 1: such a key gets 403 on every POST, whatever is in it.
        for body in [json!({}), json!({ "id": "wp_000000000" })] {
            let reply = world.post(Who::ReadOnly, "/plugins/update", &body).await;
            assert_error(&reply, 403, "FORBIDDEN", text);
        }
        let reply = world.get(Who::ScopedElsewhere, LIST).await;
        assert_error(&reply, 403, "FORBIDDEN", text);
        assert_eq!(
            reply.header("x-ratelimit-limit"),
            Some("100000"),
            "it is a valid key"
        );
    })
    .await;
}

#[tokio::test]
async fn s1_sixty_requests_a_minute_for_one_key() {
    on_both(async |fleet| {
        let world = World::new(fleet, WisPanel::LIMITS).await;
        let number = |reply: &pressroom_testkit::api::Reply, name: &str| -> i64 {
            let text = reply
                .header(name)
                .unwrap_or_else(|| panic!("no {name}: {}", reply.text));
            text.parse().expect("a number")
        };
        let before = Timestamp::now().seconds();
        let first = world.get(Who::Member, LIST).await;
        assert_eq!(number(&first, "x-ratelimit-limit"), 60);
        assert_eq!(number(&first, "x-ratelimit-remaining"), 59);
        let reset = number(&first, "x-ratelimit-reset");
        assert!(
            (before + 55..=before + 65).contains(&reset),
            "a Unix time: {reset}"
        );
        // Errors count and are told as well.
        for left in (0..59).rev() {
            let path = if left % 2 == 0 { LIST } else { "/nothing" };
            let reply = world.get(Who::Member, path).await;
            assert_eq!(number(&reply, "x-ratelimit-remaining"), left);
            assert_eq!(reply.status, if left % 2 == 0 { 200 } else { 404 });
        }
        for _ in 0..3 {
            let reply = world.get(Who::Member, LIST).await;
            assert_error(&reply, 429, "RATE_LIMITED", "Too many requests");
            assert_eq!(number(&reply, "x-ratelimit-remaining"), 0);
            assert_eq!(number(&reply, "x-ratelimit-reset"), reset, "not extended");
            assert!((1..=60).contains(&number(&reply, "retry-after")));
        }
        // The limit is the key's: another key of the same person is not touched.
        assert_eq!(world.get(Who::ReadOnly, LIST).await.status, 200);
        world.test.store.advance_clock(Duration::from_secs(61));
        assert_eq!(world.get(Who::Member, LIST).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn s1_guessing_is_limited_by_address() {
    on_both(async |fleet| {
        let limits = Limits {
            per_address: 3,
            ..generous()
        };
        let world = World::new(fleet, limits).await;
        for attempt in 0..5 {
            let who = if attempt % 2 == 0 {
                Who::Nobody
            } else {
                Who::UnknownKey
            };
            let reply = world.get(who, LIST).await;
            assert_eq!(reply.status, if attempt < 3 { 401 } else { 429 });
            assert!(reply.header("x-ratelimit-limit").is_none());
        }
        assert_eq!(world.get(Who::Member, LIST).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn s1_slashes_heads_options_and_methods() {
    worlds(async |world| {
        assert_eq!(world.get(Who::Member, "/installations/").await.status, 200);
        let head = world.send(Who::Member, Method::HEAD, LIST, "").await;
        let get = world.get(Who::Member, LIST).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        let length = get.text.len().to_string();
        assert_eq!(head.header("content-length"), Some(length.as_str()));
        let options = world
            .send(Who::Nobody, Method::OPTIONS, "/plugins/update", "")
            .await;
        assert_eq!(
            (options.status, options.header("allow")),
            (204, Some("OPTIONS, POST"))
        );
        let reply = world
            .send(Who::Member, Method::DELETE, LIST, r#"{"id":"x"}"#)
            .await;
        assert_error(&reply, 405, "METHOD_NOT_ALLOWED", "Method not allowed");
        assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS"));
        let keys = world.get(Who::Member, "/api/v1/users/mia/api-keys").await;
        assert_eq!(keys.header("allow"), Some("OPTIONS, POST"));
        for path in ["/nothing", "/installations/x", "/"] {
            let reply = world.get(Who::Member, path).await;
            assert_error(&reply, 404, "NOT_FOUND", "Route not found");
        }
    })
    .await;
}

#[tokio::test]
async fn s1_a_path_of_nobody_is_answered_neutrally() {
    worlds(async |world| {
        // Two dialects that are not served here own the second kind: no credential opens it.
        for (path, status, title, detail) in [
            ("/api/v1", 404, "Not Found", "No such route"),
            ("/api/v1/nothing", 404, "Not Found", "No such route"),
            (
                "/api/v1/sites",
                401,
                "Unauthorized",
                "Authentication required",
            ),
            (
                "/api/v1/sites/1",
                401,
                "Unauthorized",
                "Authentication required",
            ),
        ] {
            let reply = world.get(Who::Member, path).await;
            assert_eq!(reply.status, status, "{path}");
            assert_eq!(
                reply.header("content-type"),
                Some("application/problem+json")
            );
            assert_eq!(
                reply.body,
                json!({
                    "type": "about:blank", "title": title, "status": status,
                    "detail": detail, "error": title,
                })
            );
        }
    })
    .await;
}

#[tokio::test]
async fn s1_a_host_may_be_bound_to_this_dialect() {
    worlds(async |world| {
        let api = world.api(Who::Member);
        for (host, neutral) in [
            (BOUND_HOST, false),
            ("PANEL.example:8443", false),
            ("x.example", true),
        ] {
            let headers = [("host", host)];
            let sent = api
                .send(Method::GET, "/api/v1/nothing", &headers, None)
                .await;
            let reply = sent.expect("an answer");
            if neutral {
                assert_eq!(
                    reply.header("content-type"),
                    Some("application/problem+json")
                );
            } else {
                assert_error(&reply, 404, "NOT_FOUND", "Route not found");
            }
            let sent = api.send(Method::GET, &full(LIST), &headers, None).await;
            assert_eq!(sent.expect("an answer").status, 200, "{host}");
        }
    })
    .await;
}

#[tokio::test]
async fn s1_a_key_repeats_the_first_answer() {
    worlds(async |world| {
        let api = world.api(Who::Member);
        let path = full("/auto-login");
        let key = [("idempotency-key", "order-17")];
        // Refused for good: the answer is kept like any other.
        let body =
            json!({ "id": world.own.environment.panel_id, "redirect": "https://else.example/" });
        let first = api.post_with(&path, &key, &body).await.expect("an answer");
        let again = api.post_with(&path, &key, &body).await.expect("an answer");
        assert_eq!((first.status, again.status), (422, 422), "{}", first.text);
        assert_eq!(first.text, again.text);
        assert!(first.header("idempotency-replayed").is_none());
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert!(again.header("x-ratelimit-remaining").is_some());
        let other = json!({ "id": world.own.environment.panel_id });
        let reply = api.post_with(&path, &key, &other).await.expect("an answer");
        let text = "Idempotency-Key was already used with a different request";
        assert_error(&reply, 422, "VALIDATION_ERROR", text);
        // Another key holder has its own keys.
        let operator = world.api(Who::Operator);
        let reply = operator
            .post_with(&path, &key, &body)
            .await
            .expect("an answer");
        assert!(reply.header("idempotency-replayed").is_none());
    })
    .await;
}
