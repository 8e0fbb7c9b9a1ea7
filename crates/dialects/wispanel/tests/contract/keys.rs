//! §6: a key issued with a key.

use crate::world::{Who, assert_error, worlds};
use pressroom_base::Timestamp;
use serde_json::json;
use std::time::Duration;

const MIA: &str = "/api/v1/users/mia@example.com/api-keys";

#[tokio::test]
async fn s6_a_key_is_shown_once_and_only_reads_unless_asked() {
    worlds(async |world| {
        let reply = world
            .post(Who::Member, MIA, &json!({ "name": "scanner" }))
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let secret = reply.string("secret_key").expect("a secret");
        assert!(secret.starts_with("wsp_") && secret.len() == 52);
        assert_eq!(reply.body["api_key"], secret.as_str());
        let key = &reply.body["key"];
        assert_eq!(key["key_prefix"], &secret[..12]);
        assert_eq!(key["permissions"], json!(["read"]));
        assert_eq!(key["ip_whitelist"], json!([]));
        for never in ["last_used", "expires_at"] {
            assert_eq!(key[never], "0001-01-01T00:00:00Z");
        }
        assert_eq!(key["enabled"], true);

        let api = world.api_with(&secret);
        let list = api
            .get("/api/v1/wordpress/installations")
            .await
            .expect("an answer");
        assert_eq!(list.status, 200);
        let body = json!({ "id": world.own.environment.panel_id });
        let login = api
            .post("/api/v1/wordpress/auto-login", &body)
            .await
            .expect("an answer");
        let text = "API key is not scoped for 'wordpress'";
        assert_error(&login, 403, "FORBIDDEN", text);
        // Nor does it make itself a stronger one.
        let more = api
            .post(MIA, &json!({ "name": "more", "permissions": ["all"] }))
            .await
            .expect("an answer");
        assert_error(&more, 403, "FORBIDDEN", text);
        let kept = pressroom_store::tokens::by_secret(&world.test.store, &secret).await;
        let row = kept.expect("found").expect("a row");
        assert!(!format!("{row:?}").contains(&secret));
    })
    .await;
}

#[tokio::test]
async fn s6_what_is_asked_for_is_what_is_issued() {
    worlds(async |world| {
        let asked = json!({
            "name": "office", "permissions": ["wordpress"],
            "ip_whitelist": ["192.0.2.9/24", "2001:db8::1"], "expires_in": 7,
        });
        let reply = world.post(Who::Member, MIA, &asked).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let key = &reply.body["key"];
        assert_eq!(
            key["ip_whitelist"],
            json!(["192.0.2.0/24", "2001:db8::1/128"])
        );
        let end = key["expires_at"].as_str().expect("a time").to_owned();
        let week = Timestamp::now()
            .plus(Duration::from_hours(7 * 24))
            .to_rfc3339();
        assert_eq!(end[..10], week[..10]);
        let secret = reply.string("secret_key").expect("a secret");
        let elsewhere = world.api_with(&secret);
        let refused = elsewhere
            .get("/api/v1/wordpress/installations")
            .await
            .expect("an answer");
        assert_error(&refused, 403, "FORBIDDEN", "IP address not allowed");
    })
    .await;
}

#[tokio::test]
async fn s6_what_cannot_be() {
    worlds(async |world| {
        for (body, status, text) in [
            (json!({}), 400, "Name is required"),
            (json!({ "name": "  " }), 400, "Name is required"),
            (
                json!({ "name": "n".repeat(101) }),
                400,
                "`name` has at most 100 characters",
            ),
            (
                json!({ "name": "x", "permissions": [] }),
                422,
                "`permissions` must name at least one",
            ),
            (
                json!({ "name": "x", "permissions": ["root"] }),
                422,
                "Unknown scope `root`",
            ),
            (
                json!({ "name": "x", "ip_whitelist": ["here"] }),
                422,
                "`here` is not a network",
            ),
            (
                json!({ "name": "x", "expires_in": 36_501 }),
                422,
                "`expires_in` is at most 36500 days",
            ),
        ] {
            let reply = world.post(Who::Member, MIA, &body).await;
            assert_error(&reply, status, "VALIDATION_ERROR", text);
        }
        let reply = world
            .post(Who::Member, MIA, &json!({ "name": "x", "expires_in": -1 }))
            .await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn s6_nobody_learns_who_else_there_is() {
    worlds(async |world| {
        for other in ["fred@example.com", "nobody@example.com"] {
            let path = format!("/api/v1/users/{other}/api-keys");
            let reply = world
                .post(Who::Member, &path, &json!({ "name": "x" }))
                .await;
            assert_error(&reply, 404, "NOT_FOUND", "User not found");
        }
        let for_fred = "/api/v1/users/fred@example.com/api-keys";
        let reply = world
            .post(Who::Operator, for_fred, &json!({ "name": "x" }))
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn s6_a_bound_key_issues_bound_keys() {
    worlds(async |world| {
        let soon = Timestamp::now().plus(Duration::from_hours(1));
        let bound = world
            .issue(
                "mia@example.com",
                &["wordpress"],
                &["127.0.0.0/8"],
                Some(soon),
            )
            .await;
        let api = world.api_with(&bound);
        for wider in [
            json!({ "name": "x", "ip_whitelist": ["127.0.0.1"] }),
            json!({ "name": "x", "permissions": ["all"], "ip_whitelist": ["127.0.0.1"] }),
            json!({ "name": "x", "ip_whitelist": ["0.0.0.0/0"] }),
        ] {
            let reply = api.post(MIA, &wider).await.expect("an answer");
            assert_eq!(reply.status, 403, "{wider}: {}", reply.text);
        }
    })
    .await;
}
