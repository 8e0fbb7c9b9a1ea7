//! §1: credentials, errors, methods.

use crate::world::{ANA, assert_error, full, worlds};
use pressroom_store::tokens;
use reqwest::Method;
use serde_json::json;

/// Every route that asks who is there.
const ASKING: &[(&str, &str)] = &[
    ("DELETE", "/auth"),
    ("POST", "/jwt/revoke"),
    ("GET", "/activity_logs"),
    // Without the query there would be nothing to tell whose path it is.
    ("GET", "/me?per_page=1"),
    ("GET", "/accounts"),
    ("GET", "/accounts/acct_00000000000000000000"),
    ("GET", "/users"),
    ("GET", "/webhook_endpoints"),
    ("POST", "/webhook_endpoints"),
    ("GET", "/webhook_endpoints/whe_00000000000000000000"),
    ("PATCH", "/webhook_endpoints/whe_00000000000000000000"),
    ("DELETE", "/webhook_endpoints/whe_00000000000000000000"),
];

#[tokio::test]
async fn s1_credentials_that_open_nothing() {
    worlds(async |world| {
        let revoked = world.issue(ANA, &[]).await;
        let store = &world.test.store;
        let tx = store.begin().await.expect("a transaction");
        let row = tokens::by_secret(&tx, &revoked[6..]).await.expect("found");
        tokens::set_enabled(&tx, row.expect("a token").id, false)
            .await
            .expect("revoked");
        tx.commit().await.expect("committed");
        for (method, path) in ASKING {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            for bad in [
                None,
                Some("token unknown"),
                Some("Bearer a.b.c"),
                Some("Bearer unknown"),
                Some(revoked.as_str()),
            ] {
                let headers: Vec<_> = bad.map(|bad| ("authorization", bad)).into_iter().collect();
                let reply = world.send(method.clone(), path, &headers, None).await;
                assert_error(&reply, 401, "Unauthorized");
                assert_eq!(
                    reply.header("www-authenticate"),
                    Some(r#"Token realm="wporchestrix", Bearer realm="wporchestrix""#)
                );
            }
        }
        let two = [("authorization", "token a"), ("authorization", "token b")];
        let reply = world.send(Method::GET, "/accounts", &two, None).await;
        assert_error(&reply, 400, "More than one `Authorization` header");
    })
    .await;
}

#[tokio::test]
async fn s1_a_panel_key_is_none_here() {
    worlds(async |world| {
        let new = pressroom_fleet::tokens::NewToken {
            user: ANA.into(),
            kind: pressroom_fleet::tokens::TokenKind::Panel,
            name: "panel".into(),
            scopes: Vec::new(),
            networks: Vec::new(),
            expires_at: None,
        };
        let console = pressroom_fleet::Caller::new(pressroom_fleet::Principal::console());
        let issued = world.test.fleet.add_token(&console, new).await;
        let key = issued.expect("a key").secret.into_inner();
        for scheme in ["token", "Bearer"] {
            let reply = world.get(&format!("{scheme} {key}"), "/accounts").await;
            assert_error(&reply, 401, "Unauthorized");
        }
    })
    .await;
}

#[tokio::test]
async fn s1_a_token_without_rights_knows_whose_it_is_and_no_more() {
    worlds(async |world| {
        let read = world.issue(ANA, &["read"]).await;
        for path in ["/me", "/accounts", "/users", "/activity_logs"] {
            assert_eq!(world.get(&read, path).await.status, 200, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn s1_slashes_heads_options_methods_and_ids() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        assert_eq!(world.get(&token, "/accounts/").await.status, 200);
        let headers = [("authorization", token.as_str())];
        let head = world.send(Method::HEAD, "/accounts", &headers, None).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        assert_eq!(head.header("total-count"), Some("2"));
        for (path, allow) in [
            ("/auth", "DELETE, OPTIONS, POST"),
            ("/accounts", "GET, HEAD, OPTIONS"),
            ("/jwt/refresh", "OPTIONS, POST"),
        ] {
            let reply = world.send(Method::OPTIONS, path, &[], None).await;
            assert_eq!((reply.status, reply.header("allow")), (204, Some(allow)));
            let reply = world.send(Method::PATCH, path, &headers, None).await;
            assert_error(&reply, 405, "Method not allowed");
        }
        for path in ["/nothing", "/jwt/nothing", "/accounts/a/b"] {
            let reply = world.get(&token, path).await;
            assert_error(&reply, 404, "Not found");
        }
        let reply = world.get(&token, "/accounts?page=1&page=2").await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        let one = world.get(&token, "/me").await;
        let other = world.get(&token, "/me").await;
        assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    })
    .await;
}

#[tokio::test]
async fn s1_nothing_unexpected_in_a_body_is_a_fault_of_ours() {
    worlds(async |world| {
        for body in [
            json!(null),
            json!(true),
            json!({ "email": null, "password": null }),
            json!({ "user": [] }),
            json!({ "user": { "email": {} } }),
            json!({ "email": "a\u{0}b", "password": "x" }),
            json!({ "otp_attempt": -1 }),
        ] {
            for path in ["/auth", "/jwt", "/jwt/refresh"] {
                let reply = world.post(path, &body).await;
                assert!(
                    (400..=422).contains(&reply.status),
                    "{body} {path}: {}",
                    reply.text
                );
                assert!(reply.body["error"].is_string(), "{}", reply.text);
            }
        }
        assert_eq!(full("/x"), "/api/v1/x");
    })
    .await;
}
