//! §2: paths that another dialect owns too, over HTTP. The rule itself has its table
//! beside it; here is what comes back.

use crate::world::{ANA, assert_error, worlds};
use reqwest::Method;
use serde_json::json;

const UUID: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";

#[tokio::test]
async fn s2_nothing_to_go_by_is_answered_for_both() {
    worlds(async |world| {
        for path in ["/me", "/sites", "/sites/7"] {
            for headers in [&[][..], &[("authorization", "Bearer wsp_x")]] {
                let reply = world.send(Method::GET, path, headers, None).await;
                assert_eq!(reply.status, 401, "{path}");
                assert_eq!(
                    reply.body,
                    json!({
                        "type": "about:blank", "title": "Unauthorized", "status": 401,
                        "detail": "Authentication required", "error": "Unauthorized",
                    })
                );
                assert_eq!(
                    reply.header("content-type"),
                    Some("application/problem+json")
                );
                assert_eq!(reply.header("vary"), Some("Authorization, Accept"));
                assert_eq!(
                    reply.header("www-authenticate"),
                    Some(
                        "Token realm=\"wporchestrix\", Bearer realm=\"wporchestrix\", \
                         JWT realm=\"maplepress\""
                    )
                );
            }
        }
        let two = [("authorization", "token a"), ("authorization", "JWT b")];
        let reply = world.send(Method::GET, "/me", &two, None).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        let reply = world.send(Method::OPTIONS, "/sites", &[], None).await;
        assert_eq!(reply.status, 204);
        assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
    })
    .await;
}

#[tokio::test]
async fn s2_a_credential_decides_and_is_not_tried_elsewhere() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let reply = world.get(&token, &format!("/sites/{UUID}")).await;
        assert_error(&reply, 404, "Record not found");
        assert_eq!(reply.header("vary"), Some("Authorization, Accept"));
        for bad in ["token x", "Bearer x", "Bearer a.b.c"] {
            let reply = world.get(bad, "/me?page_size=1").await;
            assert_error(&reply, 401, "Unauthorized");
        }
        let (access, _) = world.pair(ANA).await;
        for foreign in [format!("JWT {access}"), "Bearer live_sk_x".to_owned()] {
            let reply = world.get(&foreign, "/sites/site_abc123").await;
            assert_eq!(reply.status, 401, "{}", reply.text);
            assert_eq!(
                reply.body,
                json!({
                    "type": "about:blank", "title": "Unauthorized", "status": 401,
                    "detail": "Authentication required",
                })
            );
            assert_eq!(
                reply.header("www-authenticate"),
                Some(r#"JWT realm="maplepress""#)
            );
            assert!(
                reply
                    .header("x-request-id")
                    .is_some_and(|id| id.len() == 16)
            );
        }
    })
    .await;
}

#[tokio::test]
async fn s2_without_one_the_shape_decides() {
    worlds(async |world| {
        for path in ["/sites/site_abc123", "/sites?page=2", "/me?per_page=5"] {
            let reply = world.send(Method::GET, path, &[], None).await;
            assert_error(&reply, 401, "Unauthorized");
        }
        let uuid = format!("/sites/{UUID}");
        for (path, accept) in [
            (uuid.as_str(), "*/*"),
            ("/sites?page_size=5", "*/*"),
            ("/me", "application/problem+json"),
        ] {
            let headers = [("accept", accept)];
            let reply = world.send(Method::GET, path, &headers, None).await;
            assert_eq!(reply.status, 401, "{}", reply.text);
            assert_eq!(reply.body.get("error"), None, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn s2_dialects_that_are_not_served_answer_in_their_own_format() {
    worlds(async |world| {
        for (path, member) in [
            ("/api/v1/login", "title"),
            ("/api/v1/tenants", "title"),
            ("/health", "title"),
            ("/hosting/user/1/view", "error"),
            ("/sso/x", "error"),
            ("/wp-json/captaincore/v1/sites", "code"),
            ("/api/v1/nothing", "error"),
        ] {
            let url = format!("{}{path}", world.base);
            let client = pressroom_testkit::api::client_builder().build();
            let reply = client.expect("a client").get(url).send().await;
            let reply = reply.expect("an answer");
            assert_eq!(reply.status().as_u16(), 404, "{path}");
            let body: serde_json::Value = reply.json().await.expect("JSON");
            assert!(body.get(member).is_some(), "{path}: {body}");
        }
    })
    .await;
}
