//! W26 to W30: where the account's events are told.

use crate::world::{ANA, FRED, MIA, OLGA, World, assert_error, worlds};
use pressroom_testkit::api::Reply;
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/webhook_endpoints";
const HOOK: &str = "http://127.0.0.1:9/in";

async fn add(world: &World, token: &str, body: &Value) -> Reply {
    world.post_as(token, PATH, body).await
}

async fn change(world: &World, token: &str, id: &str, body: &Value) -> Reply {
    let headers = [("authorization", token)];
    let path = format!("{PATH}/{id}");
    let body = Some(body.to_string());
    world.send(Method::PATCH, &path, &headers, body).await
}

async fn remove(world: &World, token: &str, id: &str) -> Reply {
    let headers = [("authorization", token)];
    let path = format!("{PATH}/{id}");
    world.send(Method::DELETE, &path, &headers, None).await
}

fn id(reply: &Reply) -> String {
    assert!([200, 201].contains(&reply.status), "{}", reply.text);
    reply.string("id").expect("an id")
}

fn is_secret(value: &Value) -> bool {
    let encoded = value.as_str().and_then(|text| text.strip_prefix("whsec_"));
    let key = encoded.map(|text| data_encoding::BASE64.decode(text.as_bytes()));
    matches!(key, Some(Ok(key)) if key.len() == 32)
}

/// A refusal that begins so.
#[track_caller]
fn assert_refused(reply: &Reply, text: &str) {
    assert_eq!(reply.status, 422, "{}", reply.text);
    assert_eq!(reply.body["error"], text);
}

#[tokio::test]
async fn w28_the_secret_is_told_once() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let body = json!({
            "url": HOOK, "events": ["site.down", "upgrade.failed", "site.down"],
            "description": " ops ", "unknown": 1,
        });
        let reply = add(&world, &token, &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let made = &reply.body;
        let id = id(&reply);
        assert!(id.starts_with("whe_") && id.len() == 24, "{id}");
        assert_eq!(
            reply.header("location"),
            Some(format!("/api/v1{PATH}/{id}").as_str())
        );
        assert!(is_secret(&made["secret"]), "{made}");
        for (member, value) in [
            ("url", json!(HOOK)),
            ("description", json!("ops")),
            ("events", json!(["site.down", "upgrade.failed"])),
            ("active", json!(true)),
            ("failure_count", json!(0)),
            ("disabled_reason", Value::Null),
            ("last_delivery", Value::Null),
        ] {
            assert_eq!(made[member], value, "{member}");
        }
        let shown = world.get(&token, &format!("{PATH}/{id}")).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.body.get("secret"), None);
        let secret = made["secret"].as_str().expect("a secret");
        assert_eq!(shown.body["secret_last_four"], secret[secret.len() - 4..]);
        let log = world
            .get(&token, "/activity_logs?event=webhook_endpoint.*")
            .await;
        assert_eq!(log.body[0]["event"], "webhook_endpoint.created");
        assert_eq!(log.body[0]["subject"]["id"], id.as_str());
        assert!(!log.text.contains(secret), "{}", log.text);
    })
    .await;
}

#[tokio::test]
async fn w28_nested_and_refused() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let nested = json!({ "webhook_endpoint": { "url": HOOK, "events": ["*"], "active": false } });
        let reply = add(&world, &token, &nested).await;
        assert_eq!((reply.status, &reply.body["active"]), (201, &json!(false)));
        let all = json!(["*"]);
        for (body, text) in [
            (json!({ "events": all }), "Url can't be blank"),
            (json!({ "url": "", "events": all }), "Url can't be blank"),
            (json!({ "url": "hooks", "events": all }), "Url is invalid"),
            (json!({ "url": "https://a:b@example.com/", "events": all }), "Url is invalid"),
            (json!({ "url": "https://example.com/#x", "events": all }), "Url is invalid"),
            (
                json!({ "url": format!("https://example.com/{}", "a".repeat(2048)), "events": all }),
                "Url is invalid",
            ),
            (json!({ "url": 7, "events": all }), "Url is invalid"),
            (json!({ "url": "http://1.1.1.1/", "events": all }), "Url must be https"),
            (json!({ "url": "ftp://1.1.1.1/", "events": all }), "Url must be https"),
            (json!({ "url": "http://10.0.0.1/", "events": all }), "Url must be https"),
            (json!({ "url": "https://10.0.0.1/", "events": all }), "Url is not allowed"),
            (json!({ "url": "https://169.254.169.254/", "events": all }), "Url is not allowed"),
            (json!({ "url": "https://[fe80::1]/", "events": all }), "Url is not allowed"),
            (json!({ "url": HOOK }), "Events is invalid"),
            (json!({ "url": HOOK, "events": [] }), "Events is invalid"),
            (json!({ "url": HOOK, "events": ["site.up"] }), "Events is invalid"),
            (json!({ "url": HOOK, "events": "site.down" }), "Events is invalid"),
            (
                json!({ "url": HOOK, "events": all, "description": "x".repeat(256) }),
                "Description is too long (maximum is 255 characters)",
            ),
        ] {
            let reply = add(&world, &token, &body).await;
            assert_refused(&reply, text);
        }
        for more in 1..20 {
            let body = json!({ "url": HOOK, "events": ["site.down"] });
            assert_eq!(add(&world, &token, &body).await.status, 201, "{more}");
        }
        let body = json!({ "url": HOOK, "events": ["site.down"] });
        let reply = add(&world, &token, &body).await;
        assert_refused(&reply, "An account has at most 20 webhook endpoints");
        let list = world.get(&token, PATH).await;
        assert_eq!(list.body.as_array().map(Vec::len), Some(20));
        assert!(!list.text.contains("whsec_"));
    })
    .await;
}

#[tokio::test]
async fn w28_the_same_key_makes_one() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let headers = [
            ("authorization", token.as_str()),
            ("idempotency-key", "one"),
        ];
        let body = json!({ "url": HOOK, "events": ["*"] }).to_string();
        let first = world
            .send(Method::POST, PATH, &headers, Some(body.clone()))
            .await;
        let again = world.send(Method::POST, PATH, &headers, Some(body)).await;
        assert_eq!((first.status, again.status), (201, 201));
        assert_eq!(first.body, again.body);
        let list = world.get(&token, PATH).await;
        assert_eq!(list.header("total-count"), Some("1"));
    })
    .await;
}

#[tokio::test]
async fn w26_w27_newest_first_and_ones_own() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        assert_eq!(world.get(&token, PATH).await.body, json!([]));
        let mut ids = Vec::new();
        for _ in 0..3 {
            let body = json!({ "url": HOOK, "events": ["*"] });
            ids.insert(0, id(&add(&world, &token, &body).await));
        }
        let list = world.get(&token, &format!("{PATH}?per_page=2")).await;
        let found: Vec<_> = list.body.as_array().expect("an array").iter().collect();
        assert_eq!(found[0]["id"], ids[0].as_str());
        assert_eq!(found[1]["id"], ids[1].as_str());
        assert_eq!(list.header("total-count"), Some("3"));

        // Members look and do not touch; others do not know of it.
        let member = world.sign_in(MIA).await;
        let own = format!("{PATH}/{}", ids[0]);
        assert_eq!(world.get(&member, &own).await.status, 200);
        assert_error(
            &add(&world, &member, &json!({})).await,
            403,
            "Not authorized",
        );
        assert_error(
            &change(&world, &member, &ids[0], &json!({})).await,
            403,
            "Not authorized",
        );
        assert_error(
            &remove(&world, &member, &ids[0]).await,
            403,
            "Not authorized",
        );
        let read = world.issue(ANA, &["read"]).await;
        assert_eq!(world.get(&read, &own).await.status, 200);
        assert_error(&remove(&world, &read, &ids[0]).await, 403, "Not authorized");
        for stranger in [FRED, OLGA] {
            let token = world.sign_in(stranger).await;
            assert_eq!(world.get(&token, PATH).await.body, json!([]));
            assert_error(&world.get(&token, &own).await, 404, "Record not found");
            let patch = json!({ "active": false });
            let changed = change(&world, &token, &ids[0], &patch).await;
            assert_error(&changed, 404, "Record not found");
            let removed = remove(&world, &token, &ids[0]).await;
            assert_error(&removed, 404, "Record not found");
        }
        // Nor does the same person in another account of theirs.
        let zebra = world.account("Zebra").await;
        let headers = [("authorization", token.as_str()), ("x-account-id", &zebra)];
        let reply = world.send(Method::GET, &own, &headers, None).await;
        assert_error(&reply, 404, "Record not found");
        for unknown in ["whe_00000000000000000000", "7", "site_00000000000000000000"] {
            let reply = world.get(&token, &format!("{PATH}/{unknown}")).await;
            assert_error(&reply, 404, "Record not found");
        }
    })
    .await;
}

#[tokio::test]
async fn w29_what_is_not_named_stays() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let body = json!({ "url": HOOK, "events": ["site.down"], "description": "ops" });
        let made = add(&world, &token, &body).await;
        let id = id(&made);
        let reply = change(&world, &token, &id, &json!({ "active": false })).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.body["active"], false);
        assert_eq!(reply.body["description"], "ops");
        assert_eq!(reply.body.get("secret"), None);
        let nested = json!({ "webhook_endpoint": { "events": ["*"], "description": "" } });
        let reply = change(&world, &token, &id, &nested).await;
        assert_eq!(reply.body["events"], json!(["*"]));
        assert_eq!(reply.body["description"], Value::Null);
        assert_eq!(reply.body["active"], false);
        let rotated = change(&world, &token, &id, &json!({ "rotate_secret": true })).await;
        assert!(is_secret(&rotated.body["secret"]), "{}", rotated.text);
        assert_ne!(rotated.body["secret"], made.body["secret"]);
        for (body, text) in [
            (json!({ "url": "http://1.1.1.1/" }), "Url must be https"),
            (
                json!({ "url": "https://192.168.1.1/" }),
                "Url is not allowed",
            ),
            (json!({ "events": ["nothing"] }), "Events is invalid"),
            (json!({ "active": "yes" }), "Active is invalid"),
        ] {
            assert_refused(&change(&world, &token, &id, &body).await, text);
        }
        let same = change(&world, &token, &id, &json!({})).await;
        assert_eq!(same.body["url"], HOOK);
        let log = world
            .get(&token, "/activity_logs?event=webhook_endpoint.*")
            .await;
        let lines = log.body.as_array().expect("lines").iter();
        let events: Vec<_> = lines.map(|line| line["event"].as_str()).collect();
        assert_eq!(
            events,
            [
                Some("webhook_endpoint.secret_rotated"),
                Some("webhook_endpoint.updated"),
                Some("webhook_endpoint.updated"),
                Some("webhook_endpoint.created")
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn w30_it_is_gone() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let body = json!({ "url": HOOK, "events": ["*"] });
        let id = id(&add(&world, &token, &body).await);
        let reply = remove(&world, &token, &id).await;
        assert_eq!((reply.status, reply.text.as_str()), (204, ""));
        assert_error(&remove(&world, &token, &id).await, 404, "Record not found");
        let shown = world.get(&token, &format!("{PATH}/{id}")).await;
        assert_error(&shown, 404, "Record not found");
    })
    .await;
}
