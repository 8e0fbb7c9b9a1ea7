//! W09, W10: sites that are changed and forgotten, and keys with which a request acts once.

use crate::{
    sites::{add, connected, id_of, names, send},
    world::{ANA, World, assert_error, worlds},
};
use pressroom_base::Timestamp;
use pressroom_store::{
    EnvironmentState, Lane, NewSnapshot, SnapshotContents, SnapshotFormat, StoredSnapshot,
    environments,
    jobs::{NewJob, queue},
    snapshots,
};
use pressroom_testkit::api::Reply;
use reqwest::Method;
use serde_json::{Value, json};

async fn keyed(
    world: &World,
    auth: &str,
    key: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> Reply {
    let headers = [("authorization", auth), ("idempotency-key", key)];
    let body = Some(body.to_string()).filter(|_| *body != Value::Null);
    world.send(method, path, &headers, body).await
}

#[tokio::test]
async fn w09_what_is_recorded_is_changed() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let id = add(&world, &token, "First", "https://first.example").await;
        add(&world, &token, "Second", "https://second.example").await;
        let path = format!("/sites/{id}");
        let body = json!({ "site": { "name": "Renamed", "tags": ["b", "A"], "status": "down", "id": "y" } });
        let reply = send(&world, &token, Method::PATCH, &path, &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.body["name"], "Renamed");
        assert_eq!(reply.body["tags"], json!(["a", "b"]));
        assert_eq!(reply.body["status"], "pending");
        assert_eq!(reply.body["id"], json!(id));
        let body = json!({ "url": "https://FIRST.example/blog/" });
        let reply = send(&world, &token, Method::PUT, &path, &body).await;
        assert_eq!((reply.status, &reply.body["url"]), (200, &json!("https://first.example/blog")));
        let reply = send(&world, &token, Method::PATCH, &path, &json!({ "paused": true })).await;
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("paused")));
        assert_eq!(names(&world.get(&token, "/sites?status=paused").await), ["Renamed"]);
        let reply = send(&world, &token, Method::PATCH, &path, &json!({ "paused": false })).await;
        assert_eq!(reply.body["status"], "pending");
        // Nothing to change is no change.
        let reply = send(&world, &token, Method::PATCH, &path, &json!({})).await;
        assert_eq!((reply.status, &reply.body["name"]), (200, &json!("Renamed")));
        for (body, error) in [
            (json!({ "name": " " }), "Name can't be blank"),
            (json!({ "url": "nonsense" }), "Url is invalid"),
            (json!({ "url": "https://second.example" }), "Url has already been taken"),
            (json!({ "url": "http://192.168.1.1" }), "Url is not allowed"),
            (json!({ "paused": "yes" }), "Paused is invalid"),
            (json!({ "tags": [5] }), "Tags[0] is invalid"),
            (json!({ "connection_method": "local" }), "Url is at no domain of this account on this machine"),
        ] {
            let reply = send(&world, &token, Method::PATCH, &path, &body).await;
            assert_eq!((reply.status, &reply.body["error"]), (422, &json!(error)), "{body}");
        }
        let gone = "/sites/site_00000000000000000000";
        let reply = send(&world, &token, Method::PATCH, gone, &json!({ "name": "x" })).await;
        assert_error(&reply, 404, "Record not found");
        let log = world.get(&token, &format!("/activity_logs?site_id={id}&event=site.updated")).await;
        assert_eq!(log.body.as_array().map(Vec::len), Some(4), "{}", log.text);
    })
    .await;
}

#[tokio::test]
async fn w09_a_connected_site_keeps_its_way() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let row = connected(&world, "Acme", "beta", EnvironmentState::Active).await;
        let id = id_of(&world, &token, "beta").await;
        let path = format!("/sites/{id}");
        let body = json!({ "connection_method": "local", "tags": ["x"], "url": "https://beta.example/new" });
        let reply = send(&world, &token, Method::PATCH, &path, &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.body["url"], "https://beta.example/new");
        assert_eq!(reply.body["tags"], json!(["x"]));
        let now = environments::get(&world.test.store, row.id).await.expect("found");
        assert_eq!(now.map(|row| row.url).as_deref(), Some("https://beta.example"), "nobody has seen it there");
        let body = json!({ "connection_method": "ssh", "ssh": { "host": "web1" } });
        let reply = send(&world, &token, Method::PATCH, &path, &body).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        assert!(reply.body["error"].as_str().is_some_and(|text| text.starts_with("The site is connected")));
        // Back where it is seen, there is nothing to look for.
        let body = json!({ "url": "https://beta.example" });
        let reply = send(&world, &token, Method::PATCH, &path, &body).await;
        assert_eq!(reply.body["url"], "https://beta.example");
    })
    .await;
}

#[tokio::test]
async fn w10_a_site_is_forgotten() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let id = add(&world, &token, "First", "https://first.example").await;
        let path = format!("/sites/{id}");
        let reply = send(&world, &token, Method::DELETE, &path, &Value::Null).await;
        assert_eq!((reply.status, reply.text.as_str()), (204, ""));
        for method in [Method::DELETE, Method::GET] {
            let again = send(&world, &token, method, &path, &Value::Null).await;
            assert_error(&again, 404, "Record not found");
        }
        // Its address is free again.
        add(&world, &token, "First", "https://first.example").await;
        let log = world
            .get(&token, &format!("/activity_logs?site_id={id}"))
            .await;
        assert_eq!(log.body[0]["event"], "site.forgotten");
    })
    .await;
}

#[tokio::test]
async fn w10_a_connected_site_is_disconnected_first() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let row = connected(&world, "Acme", "beta", EnvironmentState::Active).await;
        let id = id_of(&world, &token, "beta").await;
        let path = format!("/sites/{id}");
        let store = &world.test.store;
        let tx = store.begin().await.expect("a transaction");
        let mut job = NewJob::new("snapshot_verify", json!({}));
        job.environment = Some(row.id);
        job.account = Some(row.account_id);
        job.lane = Lane::Read;
        let job = queue::insert(&tx, job).await.expect("a job");
        let new = NewSnapshot {
            public_id: "snap1".into(),
            environment_id: row.id,
            account_id: row.account_id,
            format: SnapshotFormat::TarZst,
            reserved: 0,
            job_id: None,
            created_by: None,
            note: String::new(),
            store: "directory".into(),
            object_key: "x".into(),
            contents: SnapshotContents::Full,
            panel_id: row.panel_id.clone(),
            domain: "beta.example".into(),
            expires_at: None,
        };
        let snapshot = snapshots::begin(&tx, new).await.expect("a snapshot");
        let stored = StoredSnapshot {
            size: 5,
            sha256: "00".into(),
            wordpress_version: "6.5.5".into(),
        };
        snapshots::finish(&tx, snapshot.id, stored)
            .await
            .expect("ready");
        tx.commit().await.expect("committed");
        let reply = send(&world, &token, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        let error = reply.string("error").expect("a text");
        assert!(error.starts_with("Site has a job under way"), "{error}");
        let tx = store.begin().await.expect("a transaction");
        queue::request_cancel(
            &tx,
            job.id,
            "test",
            pressroom_store::jobs::Cancellation::default(),
        )
        .await
        .expect("cancelled");
        tx.commit().await.expect("committed");
        let reply = send(&world, &token, Method::DELETE, &path, &Value::Null).await;
        assert_eq!(reply.status, 204, "{}", reply.text);
        assert_error(
            &send(&world, &token, Method::DELETE, &path, &Value::Null).await,
            404,
            "Record not found",
        );
        let log = world.get(&token, "/activity_logs?event=site.*").await;
        let told: Vec<_> = log
            .body
            .as_array()
            .expect("a list")
            .iter()
            .map(|line| line["event"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(told, ["site.released", "site.disconnected"]);
        assert_eq!(log.body[1]["metadata"], json!({ "reason": "deleted" }));
        assert_eq!(log.body[1]["site_id"], json!(id));
        let kept = snapshots::get(store, snapshot.id)
            .await
            .expect("found")
            .expect("a snapshot");
        let days = kept
            .expires_at
            .map(|at| (at.millis() - Timestamp::now().millis()) / 86_400_000);
        assert!(matches!(days, Some(6 | 7)), "{days:?}");
    })
    .await;
}

#[tokio::test]
async fn s1_a_key_acts_once() {
    worlds(async |world| {
        let token = world.sign_in(ANA).await;
        let body = json!({ "name": "First", "url": "https://first.example" });
        let first = keyed(&world, &token, "k1", Method::POST, "/sites", &body).await;
        assert_eq!(first.status, 201, "{}", first.text);
        let again = keyed(&world, &token, "k1", Method::POST, "/sites", &body).await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.header("location"), first.header("location"));
        let other = json!({ "name": "Other", "url": "https://other.example" });
        let reused = keyed(&world, &token, "k1", Method::POST, "/sites", &other).await;
        assert_error(
            &reused,
            422,
            "Idempotency-Key was already used with a different request",
        );
        let path = format!("/sites/{}", first.string("id").expect("an id"));
        let name = json!({ "name": "Renamed" });
        for method in [Method::PATCH, Method::PUT] {
            let key = format!("edit-{method}");
            let once = keyed(&world, &token, &key, method.clone(), &path, &name).await;
            assert_eq!(once.status, 200, "{}", once.text);
            let back = json!({ "name": "Back" });
            send(&world, &token, Method::PATCH, &path, &back).await;
            let again = keyed(&world, &token, &key, method, &path, &name).await;
            assert_eq!((again.status, &again.text), (200, &once.text));
            assert_eq!(world.get(&token, &path).await.body["name"], "Back");
        }
        let gone = keyed(&world, &token, "k3", Method::DELETE, &path, &Value::Null).await;
        assert_eq!(gone.status, 204, "{}", gone.text);
        let again = keyed(&world, &token, "k3", Method::DELETE, &path, &Value::Null).await;
        assert_eq!((again.status, again.text.as_str()), (204, ""));
        assert_eq!(again.header("content-type"), None);
        let other = send(&world, &token, Method::DELETE, &path, &Value::Null).await;
        assert_error(&other, 404, "Record not found");
        // Another token of the same person is another caller.
        let issued = world.issue(ANA, &[]).await;
        let anew = keyed(&world, &issued, "k1", Method::POST, "/sites", &other_site()).await;
        assert_eq!(anew.status, 201, "{}", anew.text);
        for bad in ["", &"k".repeat(256)] {
            let reply = keyed(&world, &token, bad, Method::POST, "/sites", &body).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
        }
        // Signing out and revoking: what is gone stays gone.
        let revoke = json!({ "token": "unknown" });
        for _ in 0..2 {
            let reply = keyed(&world, &token, "k4", Method::POST, "/jwt/revoke", &revoke).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        let out = keyed(&world, &token, "k5", Method::DELETE, "/auth", &Value::Null).await;
        assert_eq!(out.status, 200, "{}", out.text);
        let again = keyed(&world, &token, "k5", Method::DELETE, "/auth", &Value::Null).await;
        assert_error(&again, 401, "Unauthorized");
    })
    .await;
}

fn other_site() -> Value {
    json!({ "name": "Third", "url": "https://third.example" })
}
