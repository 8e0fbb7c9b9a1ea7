//! W13 to W16: snapshots of a site, as far as they go without one.

use crate::{
    parcel::{Parcel, awaited, sent, tar_gz},
    scene::{Scene, send_due},
    sites::{connected, send},
    world::{ANA, FRED, MIA, World, assert_error, worlds},
};
use pressroom_base::id::ShortId;
use pressroom_store::{
    EnvironmentState, Lookup, Scope, SnapshotHolder, SnapshotState, environments, jobs, snapshots,
};
use pressroom_testkit::api::Reply;
use pressroom_testkit::receiver::{Manner, Receiver};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// The path of a site's snapshots.
async fn place(world: &World, account: &str, name: &str) -> String {
    let row = connected(world, account, name, EnvironmentState::Active).await;
    let site = environments::get_site(&world.test.store, row.site_id).await;
    let site = site.expect("found").expect("a site");
    format!("/sites/site_{}/snapshots", site.short_id)
}

async fn delete(world: &World, auth: &str, path: &str) -> Reply {
    send(world, auth, Method::DELETE, path, &Value::Null).await
}

fn id(reply: &Reply) -> String {
    reply.string("id").expect("an id")
}

async fn row(world: &World, id: &str) -> pressroom_store::SnapshotRow {
    let short = ShortId::parse(id.trim_start_matches("snap_")).expect("an id");
    match snapshots::by_short_id(&world.test.store, &Scope::All, &short).await {
        Ok(Lookup::Found(row)) => row,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn w15_starts_one_and_w13_w14_show_it() {
    worlds(async |world| {
        let place = place(&world, "Acme", "beta").await;
        // A member may.
        let token = world.sign_in(MIA).await;
        let body = json!({ "snapshot": { "kind": "database", "label": "before redesign",
                           "retention_days": 7, "colour": "red" } });
        let reply = world.post_as(&token, &place, &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let made = &reply.body;
        let id = id(&reply);
        assert!(id.starts_with("snap_") && id.len() == 25, "{id}");
        let here = format!("/api/v1{place}/{id}");
        assert_eq!(reply.header("location"), Some(here.as_str()));
        let site = place.split('/').nth(2).expect("a site");
        assert_eq!(made["site_id"], site);
        assert_eq!(made["status"], "creating");
        assert_eq!(
            (&made["kind"], &made["trigger"]),
            (&json!("database"), &json!("manual"))
        );
        assert_eq!(made["label"], "before redesign");
        assert_eq!(
            made["contents"],
            json!({ "database": true, "files": false, "paths": [] })
        );
        assert_eq!(
            made["upload"],
            json!({ "required": false, "url": null, "expires_at": null })
        );
        for member in [
            "size_bytes",
            "sha256",
            "wp_version",
            "pipeline_id",
            "error",
            "completed_at",
        ] {
            assert_eq!(made[member], Value::Null, "{member}");
        }
        let day = |member: &str| {
            let text = made[member].as_str().expect("a time");
            let at =
                time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339);
            at.expect("a time").unix_timestamp()
        };
        let kept = day("expires_at") - day("created_at");
        assert!(
            (7 * 86_400 - 60..=7 * 86_400 + 60).contains(&kept),
            "{kept}"
        );
        assert_eq!(made.get("download_url"), None);

        let shown = world.get(&token, &format!("{place}/{id}")).await;
        assert_eq!((shown.status, &shown.body), (200, made));
        let listed = world.get(&token, &place).await;
        let mut expected = made.clone();
        expected
            .as_object_mut()
            .expect("an object")
            .remove("upload");
        assert_eq!(listed.body, json!([expected]));
        assert_eq!(listed.header("total-count"), Some("1"));

        // A job of its own was queued for it, and is the only one.
        let again = world.post_as(&token, &place, &json!({})).await;
        assert_error(&again, 422, "Snapshot already in progress");
        let log = world.get(&token, "/activity_logs?event=snapshot.*").await;
        assert_eq!(log.body[0]["event"], "snapshot.started");
    })
    .await;
}

#[tokio::test]
async fn w15_bad_values_and_states() {
    worlds(async |world| {
        let place = place(&world, "Acme", "beta").await;
        let token = world.sign_in(ANA).await;
        for (body, text) in [
            (json!({ "kind": "tables" }), "Kind is invalid"),
            (json!({ "kind": "" }), "Kind is invalid"),
            (json!({ "kind": 7 }), "Kind is invalid"),
            (json!({ "mode": "magic" }), "Mode is invalid"),
            (
                json!({ "label": "x".repeat(256) }),
                "Label is too long (maximum is 255 characters)",
            ),
            (
                json!({ "retention_days": 0 }),
                "Retention days must be between 1 and 365",
            ),
            (
                json!({ "retention_days": 366, "mode": "upload" }),
                "Retention days must be between 1 and 365",
            ),
            (
                json!({ "retention_days": "many" }),
                "Retention days is invalid",
            ),
        ] {
            let reply = world.post_as(&token, &place, &body).await;
            assert_eq!(reply.status, 422, "{body}: {}", reply.text);
            assert_eq!(reply.body["error"], text, "{body}");
            assert!(reply.body["errors"].is_object(), "{}", reply.text);
        }
        let bad = world
            .send(
                Method::POST,
                &place,
                &[("authorization", &token)],
                Some("{".into()),
            )
            .await;
        assert_error(&bad, 400, "Invalid JSON");
        assert_eq!(world.get(&token, &place).await.body, json!([]));

        // One that nobody can reach cannot be packed, and can be sent.
        let alone = world
            .post_as(
                &token,
                "/sites",
                &json!({ "name": "alone", "url": "https://alone.example" }),
            )
            .await;
        assert_eq!(alone.status, 201, "{}", alone.text);
        let alone = format!("/sites/{}/snapshots", id(&alone));
        let refused = world
            .post_as(&token, &alone, &json!({ "kind": "full" }))
            .await;
        assert_error(&refused, 422, "Site is not connected");
        let waits = world
            .post_as(&token, &alone, &json!({ "mode": "upload" }))
            .await;
        assert_eq!(waits.status, 201, "{}", waits.text);
    })
    .await;
}

#[tokio::test]
async fn w15_the_same_key_asks_once() {
    worlds(async |world| {
        let place = place(&world, "Acme", "beta").await;
        let token = world.sign_in(ANA).await;
        let headers = [("authorization", token.as_str()), ("idempotency-key", "k")];
        let mut ids = Vec::new();
        for _ in 0..2 {
            let reply = world
                .send(Method::POST, &place, &headers, Some("{}".into()))
                .await;
            assert_eq!(reply.status, 201, "{}", reply.text);
            ids.push(id(&reply));
        }
        assert_eq!(ids[0], ids[1]);
    })
    .await;
}

#[tokio::test]
async fn w13_is_narrowed_and_paged_and_hides_what_was_removed() {
    worlds(async |world| {
        let place = place(&world, "Acme", "beta").await;
        let token = world.sign_in(ANA).await;
        let there = sent(&world, &token, &place, &tar_gz(b"one")).await;
        let waits = awaited(&world, &token, &place, json!({ "kind": "files" })).await;
        let gone = awaited(&world, &token, &place, json!({})).await;
        assert_eq!(
            delete(&world, &token, &format!("{place}/{gone}"))
                .await
                .status,
            204
        );
        for (query, found) in [
            ("", vec![&waits, &there]),
            ("?status=available", vec![&there]),
            ("?status=awaiting_upload", vec![&waits]),
            ("?status=pending", vec![]),
            ("?status=deleted", vec![]),
            ("?status=failed", vec![]),
            ("?kind=files", vec![&waits]),
            ("?kind=full", vec![&there]),
            ("?per_page=1&page=2", vec![&there]),
            ("?page=9", vec![]),
        ] {
            let reply = world.get(&token, &format!("{place}{query}")).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            let ids = reply.body.as_array().expect("a bare array").iter();
            let ids: Vec<_> = ids.filter_map(|one| one["id"].as_str()).collect();
            assert_eq!(ids, found, "{query}");
        }
        let paged = world.get(&token, &format!("{place}?per_page=1")).await;
        assert_eq!(paged.header("total-pages"), Some("2"));
        assert_eq!(paged.body[0].get("upload"), None);
        for (query, text) in [
            ("?status=ready", "Status is invalid"),
            ("?kind=all", "Kind is invalid"),
        ] {
            let reply = world.get(&token, &format!("{place}{query}")).await;
            assert_eq!((reply.status, &reply.body["error"]), (422, &json!(text)));
        }
    })
    .await;
}

#[tokio::test]
async fn w14_a_link_needs_nobody_and_is_good_for_a_while() {
    worlds(async |world| {
        let place = place(&world, "Acme", "beta").await;
        let token = world.sign_in(ANA).await;
        let archive = tar_gz(b"content");
        let id = sent(&world, &token, &place, &archive).await;
        let shown = world.get(&token, &format!("{place}/{id}")).await;
        assert_eq!(shown.body["status"], "available");
        let url = shown.string("download_url").expect("a link");
        let path = url
            .strip_prefix("https://press.example")
            .expect("our address");
        let client = pressroom_testkit::api::client_builder()
            .build()
            .expect("a client");
        let fetch = async |path: &str, method: Method| {
            let url = format!("{}{path}", world.base);
            client.request(method, url).send().await.expect("an answer")
        };
        let head = fetch(path, Method::HEAD).await;
        assert_eq!(head.status(), 200);
        assert_eq!(
            head.headers()["content-length"],
            archive.len().to_string().as_str()
        );
        let got = fetch(path, Method::GET).await;
        assert_eq!(got.headers()["content-type"], "application/gzip");
        assert_eq!(got.bytes().await.expect("bytes"), archive);
        // Changed by one character, or too late.
        let mut forged = path.to_owned();
        let last = forged.pop().expect("a character");
        forged.push(if last == 'A' { 'B' } else { 'A' });
        assert_eq!(fetch(&forged, Method::GET).await.status(), 404);
        world.test.store.advance_clock(Duration::from_mins(14));
        assert_eq!(fetch(path, Method::HEAD).await.status(), 200);
        world.test.store.advance_clock(Duration::from_mins(2));
        assert_eq!(fetch(path, Method::GET).await.status(), 404);
        // Whoever may only read is not handed what is in it.
        let reader = world.issue(ANA, &["read"]).await;
        let shown = world.get(&reader, &format!("{place}/{id}")).await;
        assert_eq!((shown.status, shown.body.get("download_url")), (200, None));
    })
    .await;
}

#[tokio::test]
async fn w13_to_w16_are_for_those_of_the_account_and_of_that_site() {
    worlds(async |world| {
        let own = place(&world, "Acme", "beta").await;
        let other = place(&world, "Acme", "gamma").await;
        let foreign = place(&world, "Other", "delta").await;
        let ana = world.sign_in(ANA).await;
        let fred = world.sign_in(FRED).await;
        let mia = world.sign_in(MIA).await;
        let id = awaited(&world, &ana, &own, json!({})).await;
        let none = "Record not found";
        let nobody = ShortId::random();
        for (token, path) in [
            (&fred, own.clone()),
            (&fred, format!("{own}/{id}")),
            (&fred, format!("{foreign}/{id}")),
            (&ana, foreign.clone()),
            (&ana, format!("{other}/{id}")),
            (&ana, format!("{own}/snap_{nobody}")),
            (&ana, format!("{own}/7")),
            (&ana, format!("/sites/site_{nobody}/snapshots")),
            (&ana, "/sites/7/snapshots".to_owned()),
        ] {
            assert_error(&world.get(token, &path).await, 404, none);
        }
        for (token, path) in [(&fred, &own), (&ana, &foreign)] {
            let reply = world.post_as(token, path, &json!({})).await;
            assert_error(&reply, 404, none);
        }
        for path in [format!("{other}/{id}"), format!("{own}/snap_{nobody}")] {
            assert_error(&delete(&world, &ana, &path).await, 404, none);
        }
        let here = format!("{own}/{id}");
        assert_error(&delete(&world, &fred, &here).await, 404, none);
        assert_error(&delete(&world, &mia, &here).await, 403, "Not authorized");
        let reader = world.issue(ANA, &["read"]).await;
        assert_error(&delete(&world, &reader, &here).await, 403, "Not authorized");
        let asked = world.post_as(&reader, &own, &json!({})).await;
        assert_error(&asked, 403, "Not authorized");
        for method in [Method::GET, Method::DELETE] {
            let reply = world.send(method, &here, &[], None).await;
            assert_error(&reply, 401, "Unauthorized");
        }
        assert_eq!(world.get(&mia, &here).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn w16_removes_the_bytes_and_keeps_the_record() {
    worlds(async |world| {
        let place = place(&world, "Acme", "beta").await;
        let token = world.sign_in(ANA).await;
        let id = sent(&world, &token, &place, &tar_gz(b"one")).await;
        assert!(Parcel::kept(&world) > 0, "nothing was kept");
        let here = format!("{place}/{id}");
        let reply = delete(&world, &token, &here).await;
        assert_eq!((reply.status, reply.text.as_str()), (204, ""));
        assert_eq!(Parcel::kept(&world), 0);
        assert_error(&world.get(&token, &here).await, 404, "Record not found");
        assert_error(
            &delete(&world, &token, &here).await,
            404,
            "Record not found",
        );
        assert_eq!(row(&world, &id).await.state, SnapshotState::Deleted);
        let log = world
            .get(&token, "/activity_logs?event=snapshot.removed")
            .await;
        assert_eq!(
            log.body[0]["subject"],
            json!({ "type": "snapshot", "id": id })
        );
        let site = place.split('/').nth(2).expect("a site");
        assert_eq!(log.body[0]["site_id"], site);
    })
    .await;
}

#[tokio::test]
async fn w16_what_is_in_use_stays_and_does_not_expire() {
    worlds(async |world| {
        let place = place(&world, "Acme", "beta").await;
        let token = world.sign_in(ANA).await;
        let id = sent(&world, &token, &place, &tar_gz(b"one")).await;
        let here = format!("{place}/{id}");
        let snapshot = row(&world, &id).await;
        let store = &world.test.store;
        let tx = store.begin().await.expect("a transaction");
        let until = tx
            .now()
            .await
            .expect("a time")
            .plus(Duration::from_hours(40 * 24));
        snapshots::hold(&tx, snapshot.id, SnapshotHolder::Upgrade, None, Some(until))
            .await
            .expect("held");
        tx.commit().await.expect("committed");
        let reply = delete(&world, &token, &here).await;
        assert_error(
            &reply,
            422,
            "Snapshot is in use by an active upgrade pipeline",
        );
        let tx = store.begin().await.expect("a transaction");
        let past = pressroom_base::Timestamp::from_millis(1000);
        snapshots::set_expiry(&tx, snapshot.id, Some(past))
            .await
            .expect("set");
        tx.commit().await.expect("committed");
        let sweep = async || world.test.fleet.expire_snapshots().await.expect("swept");
        sweep().await;
        assert_eq!(world.get(&token, &here).await.body["status"], "available");

        store.advance_clock(Duration::from_hours(41 * 24));
        sweep().await;
        let shown = world.get(&world.sign_in(ANA).await, &here).await;
        assert_eq!(shown.body["status"], "expired", "{}", shown.text);
    })
    .await;
}

#[tokio::test]
async fn w16_one_that_is_being_taken_is_not_taken_on() {
    worlds(async |world| {
        let place = place(&world, "Acme", "beta").await;
        let token = world.sign_in(ANA).await;
        let made = world.post_as(&token, &place, &json!({})).await;
        let id = id(&made);
        let here = format!("{place}/{id}");
        assert_eq!(delete(&world, &token, &here).await.status, 204);
        let snapshot = row(&world, &id).await;
        assert_eq!((snapshot.state, snapshot.size), (SnapshotState::Deleted, 0));
        let job = jobs::get(&world.test.store, snapshot.job_id.expect("a job")).await;
        let job = job.expect("found").expect("a job");
        assert!(
            job.state.is_final() || job.cancel_requested_at.is_some(),
            "{job:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_expires_is_told_and_what_nobody_sends_too() {
    worlds(async |world| {
        let place = place(&world, "Acme", "beta").await;
        let token = world.sign_in(ANA).await;
        let scene = Scene::of(&world).await;
        let receiver = Receiver::that(Manner::Ok).await;
        scene.tell(&receiver.url(), &["*"]).await;
        let id = sent(&world, &token, &place, &tar_gz(b"one")).await;
        let waits = awaited(&world, &token, &place, json!({})).await;
        let past = pressroom_base::Timestamp::from_millis(1000);
        let store = &world.test.store;
        let tx = store.begin().await.expect("a transaction");
        snapshots::set_expiry(&tx, row(&world, &id).await.id, Some(past))
            .await
            .expect("set");
        tx.commit().await.expect("committed");
        world.test.fleet.expire_snapshots().await.expect("swept");
        let shown = world.get(&token, &format!("{place}/{id}")).await;
        assert_eq!(shown.body["status"], "expired", "{}", shown.text);
        assert_eq!(shown.body.get("download_url"), None);
        assert!(shown.body["sha256"].is_string(), "its record stays");
        assert_eq!(Parcel::kept(&world), 0);
        let log = world.get(&token, "/activity_logs?event=snapshot.expired").await;
        assert_eq!(log.body[0]["subject"]["id"], json!(id));
        // Programs that asked are told of both.
        assert_eq!(send_due(scene.fleet).await, 2);
        let told: Vec<Value> = receiver
            .received()
            .iter()
            .map(|message| serde_json::from_str(&message.body).expect("JSON"))
            .collect();
        for (event, data) in [
            (
                "snapshot.created",
                json!({ "snapshot_id": id, "kind": "full", "size_bytes": shown.body["size_bytes"] }),
            ),
            ("snapshot.expired", json!({ "snapshot_id": id })),
        ] {
            let of = told.iter().find(|body| body["event"] == event);
            let of = of.expect("it was told");
            assert_eq!(of["data"], data, "{event}");
            assert_eq!(of["site"]["id"], place.split('/').nth(2).expect("a site"));
        }
        // The other is awaited for a day.
        let there = format!("{place}/{waits}");
        let shown = world.get(&token, &there).await;
        assert_eq!(shown.body["status"], "awaiting_upload");
        store.advance_clock(Duration::from_hours(25));
        let path = format!("{there}/upload");
        let late = Parcel::new(&path, &token).send(&world, tar_gz(b"late")).await;
        assert_error(&late, 422, "Snapshot is not awaiting upload");
        world.test.fleet.expire_snapshots().await.expect("swept");
        let shown = world.get(&token, &there).await;
        assert_eq!(shown.body["status"], "expired", "{}", shown.text);
        assert_eq!(shown.body["error"], "Nothing was sent in time");
        let log = world.get(&token, "/activity_logs?event=snapshot.expired").await;
        assert_eq!(log.header("total-count"), Some("1"), "nothing was there that could go");
    })
    .await;
}
