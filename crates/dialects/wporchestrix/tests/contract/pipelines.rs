//! W18 to W21: safe updates, as far as they go without a site.

use crate::{
    scene::console,
    sites::{connected, send},
    world::{ANA, FRED, MIA, World, assert_error, worlds},
};
use pressroom_base::id::ShortId;
use pressroom_store::{
    EnvironmentRow, EnvironmentState, NewComponent, PipelinePatch, PipelineRow, PipelineState,
    Scope, components, environments, pipelines,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// A site that has two plugins, of which one has an update; and the path of its pipelines.
async fn place(world: &World, account: &str, name: &str) -> (EnvironmentRow, String) {
    let row = connected(world, account, name, EnvironmentState::Active).await;
    let plugin = |slug: &str, new_version: Option<&str>| NewComponent {
        kind: "plugin".into(),
        place: "normal".into(),
        slug: slug.into(),
        file: format!("{slug}/{slug}.php"),
        name: slug.to_uppercase(),
        version: "1.0".into(),
        status: "active".into(),
        new_version: new_version.map(str::to_owned),
        ..NewComponent::default()
    };
    let seen = vec![plugin("shop", Some("1.1")), plugin("form", None)];
    let tx = world.test.store.begin().await.expect("a transaction");
    let replaced = components::replace_all(&tx, row.id, seen).await;
    replaced.expect("replaced");
    tx.commit().await.expect("committed");
    let site = environments::get_site(&world.test.store, row.site_id).await;
    let site = site.expect("found").expect("a site");
    let path = format!("/sites/site_{}/upgrade_pipelines", site.short_id);
    (row, path)
}

fn short(made: &Value) -> ShortId {
    let id = made["id"].as_str().expect("an id");
    ShortId::parse(id.trim_start_matches("pipe_")).expect("a short id")
}

async fn row(world: &World, made: &Value) -> PipelineRow {
    let found = pipelines::by_short_id(&world.test.store, &Scope::All, &short(made)).await;
    found.expect("the store answers").found().expect("a row")
}

/// Puts a pipeline where a job would have.
async fn put(world: &World, made: &Value, patch: PipelinePatch) {
    let row = row(world, made).await;
    let tx = world.test.store.begin().await.expect("a transaction");
    let changed = pipelines::change(&tx, row.id, PipelineState::ALL, patch).await;
    assert!(changed.expect("the store answers").is_some());
    tx.commit().await.expect("committed");
}

async fn awaits_approval(world: &World, made: &Value) {
    let now = world.test.store.now().await.expect("a clock");
    let patch = PipelinePatch {
        status: Some(PipelineState::AwaitingApproval),
        approval_until: Some(now.plus(Duration::from_hours(1))),
        ..PipelinePatch::default()
    };
    put(world, made, patch).await;
}

#[tokio::test]
async fn w18_w19_w20_what_is_asked_is_shown() {
    worlds(async |world| {
        let (_, place) = place(&world, "Acme", "beta").await;
        // A member may.
        let token = world.sign_in(MIA).await;
        let body = json!({ "upgrade_pipeline": {
            "targets": [
                { "type": "plugin", "slug": "shop", "version": "1.1" },
                { "type": "plugin", "slug": "shop/shop.php" },
                { "type": "core" },
            ],
            "health_check_paths": ["/", "/cart"], "note": "friday", "colour": "red",
        } });
        let reply = world.post_as(&token, &place, &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let made = &reply.body;
        let id = reply.string("id").expect("an id");
        assert!(id.starts_with("pipe_") && id.len() == 25, "{id}");
        let here = format!("{place}/{id}");
        let location = format!("/api/v1{here}");
        assert_eq!(reply.header("location"), Some(location.as_str()));
        assert_eq!(made["status"], "pending");
        assert_eq!(
            (&made["strategy"], &made["requires_approval"]),
            (&json!("canary"), &json!(true))
        );
        let targets = made["targets"].as_array().expect("targets");
        assert_eq!(targets.len(), 2, "each is there once: {targets:?}");
        assert_eq!(
            targets[0],
            json!({ "type": "plugin", "slug": "shop", "name": null, "from_version": null,
                    "to_version": "1.1", "active": null, "status": "pending", "error": null })
        );
        assert_eq!(
            (&targets[1]["type"], &targets[1]["slug"]),
            (&json!("core"), &Value::Null)
        );
        let stages: Vec<_> = made["stages"]
            .as_array()
            .expect("stages")
            .iter()
            .map(|stage| (stage["name"].as_str(), stage["status"].as_str()))
            .collect();
        assert_eq!(
            stages,
            [
                (Some("preflight"), Some("pending")),
                (Some("snapshot"), Some("pending")),
                (Some("rehearsal"), Some("pending")),
                (Some("approval"), Some("pending")),
                (Some("upgrade"), Some("pending")),
                (Some("verification"), Some("pending")),
                (Some("rollback"), Some("not_needed")),
            ]
        );
        assert_eq!(
            made["approval"],
            json!({ "required": true, "state": "pending",
            "approved_by": null, "approved_at": null, "note": null, "expires_at": null })
        );
        assert_eq!(
            made["rollback"],
            json!({ "policy": "auto", "status": "not_needed",
            "reason": null, "finished_at": null })
        );
        assert_eq!(made["health_check_paths"], json!(["/", "/cart"]));
        assert!(
            made["created_by"]
                .as_str()
                .is_some_and(|id| id.starts_with("user_"))
        );

        let list = world.get(&token, &place).await;
        assert_eq!(list.header("total-count"), Some("1"));
        assert_eq!(list.body[0]["id"], made["id"]);
        assert!(
            list.body[0]["stages"][0].get("detail").is_none(),
            "{}",
            list.text
        );
        let none = world
            .get(&token, &format!("{place}?status=completed"))
            .await;
        assert_eq!(none.body, json!([]));
        let bad = world.get(&token, &format!("{place}?status=well")).await;
        assert_eq!(
            (bad.status, &bad.body["error"]),
            (422, &json!("Status is invalid"))
        );
        let shown = world.get(&token, &here).await;
        assert_eq!(shown.body["id"], made["id"]);
        assert_eq!(shown.body["stages"][0]["detail"], json!({}));
        assert_eq!(shown.body["findings"], json!([]));

        // One at a time, and the site says which.
        let again = world.post_as(&token, &place, &json!({ "all": true })).await;
        assert_error(&again, 422, "Site already has an active upgrade pipeline");
        let site = place.trim_end_matches("/upgrade_pipelines");
        let site = world.get(&token, site).await;
        assert_eq!(site.body["active_pipeline_id"], made["id"]);
        let log = world
            .get(
                &world.sign_in(ANA).await,
                "/activity_logs?event=upgrade_pipeline.*",
            )
            .await;
        assert_eq!(log.body[0]["event"], "upgrade_pipeline.created");
        assert_eq!(
            log.body[0]["subject"],
            json!({ "type": "upgrade_pipeline", "id": made["id"] })
        );
    })
    .await;
}

#[tokio::test]
async fn w20_what_cannot_be() {
    worlds(async |world| {
        let (_, place) = place(&world, "Acme", "beta").await;
        let token = world.sign_in(MIA).await;
        let shop = json!([{ "type": "plugin", "slug": "shop" }]);
        for (body, text) in [
            (json!({}), "Targets can't be blank"),
            (json!({ "targets": [] }), "Targets can't be blank"),
            (
                json!({ "targets": [{ "type": "plugin", "slug": "foo" }] }),
                "Target plugin foo is not installed",
            ),
            (
                json!({ "targets": [{ "type": "theme", "slug": "shop" }] }),
                "Target theme shop is not installed",
            ),
            (
                json!({ "targets": [{ "type": "language" }] }),
                "Targets are of types `core`, `plugin` and `theme`",
            ),
            (
                json!({ "targets": [{ "type": "plugin", "slug": "shop", "version": "1 or 2" }] }),
                "Targets have a version that cannot be",
            ),
            (
                json!({ "targets": shop, "snapshot": false }),
                "Snapshot can be left out only where rollback is manual",
            ),
            (
                json!({ "targets": shop, "health_check_paths": ["https://evil.example/"] }),
                "Health check paths must begin with `/` and stay on the site",
            ),
            (
                json!({ "targets": shop, "strategy": "yolo" }),
                "Strategy is invalid",
            ),
            (
                json!({ "targets": shop, "rollback": 7 }),
                "Rollback is invalid",
            ),
            (
                json!({ "targets": shop, "scheduled_at": "soon" }),
                "Scheduled at is invalid",
            ),
            (
                json!({ "targets": shop, "scheduled_at": "2099-01-01T00:00:00Z" }),
                "Scheduled at must be within 30 days",
            ),
            (
                json!({ "targets": shop, "all": true }),
                "Targets is invalid",
            ),
            (
                json!({ "targets": shop, "canary": true }),
                "Canary needs a rollout_id",
            ),
            (
                json!({ "targets": shop, "note": "a".repeat(1001) }),
                "Note is too long (maximum is 1000 characters)",
            ),
        ] {
            let reply = world.post_as(&token, &place, &body).await;
            assert_eq!(reply.status, 422, "{body}: {}", reply.text);
            assert_eq!(reply.body["error"], text, "{body}");
        }
        let list = world.get(&token, &place).await;
        assert_eq!(list.body, json!([]), "nothing was made");

        // Not there, not connected, somebody else's.
        for missing in [
            "/sites/site_00000000000000000000/upgrade_pipelines",
            "/sites/x/upgrade_pipelines",
        ] {
            assert_error(
                &world
                    .post_as(&token, missing, &json!({ "all": true }))
                    .await,
                404,
                "Record not found",
            );
        }
        let fred = world.sign_in(FRED).await;
        assert_error(&world.get(&fred, &place).await, 404, "Record not found");
        let owner = world.sign_in(ANA).await;
        let body = json!({ "name": "Far", "url": "https://far.example" });
        let added = world.post_as(&owner, "/sites", &body).await;
        if added.status == 201 {
            let far = format!(
                "/sites/{}/upgrade_pipelines",
                added.string("id").expect("an id")
            );
            assert_error(
                &world.post_as(&owner, &far, &json!({ "all": true })).await,
                422,
                "Site is not connected",
            );
        }
        // Nobody without a credential.
        assert_eq!(
            world.post(&place, &json!({ "all": true })).await.status,
            401
        );
    })
    .await;
}

#[tokio::test]
async fn w21_one_yes_is_heard() {
    worlds(async |world| {
        let (_, place) = place(&world, "Acme", "beta").await;
        let owner = world.sign_in(ANA).await;
        let body = json!({ "targets": [{ "type": "plugin", "slug": "shop" },
                                       { "type": "plugin", "slug": "form", "version": "2.0" }] });
        let made = world.post_as(&owner, &place, &body).await.body;
        let here = format!("{place}/{}", made["id"].as_str().expect("an id"));
        let approve = format!("{here}/approve");
        let reply = world.post_as(&owner, &approve, &json!({})).await;
        assert_error(&reply, 422, "Pipeline is not awaiting approval");
        awaits_approval(&world, &made).await;

        // A member may not; what cannot be changes nothing.
        let member = world.sign_in(MIA).await;
        assert_error(
            &world.post_as(&member, &approve, &json!({})).await,
            403,
            "Not authorized",
        );
        for (body, text) in [
            (json!({ "targets": [] }), "Targets can't be blank"),
            (
                json!({ "targets": ["nothing"] }),
                "Targets are not all of this pipeline",
            ),
            (
                json!({ "note": "a".repeat(1001) }),
                "Note is too long (maximum is 1000 characters)",
            ),
        ] {
            let reply = world.post_as(&owner, &approve, &body).await;
            assert_eq!((reply.status, &reply.body["error"]), (422, &json!(text)));
        }
        let other = format!("{place}/pipe_00000000000000000000/approve");
        assert_error(
            &world.post_as(&owner, &other, &json!({})).await,
            404,
            "Record not found",
        );

        // Of several at once one is heard.
        let body = json!({ "note": "go", "targets": ["shop"] });
        let tries = (0..6).map(|_| world.post_as(&owner, &approve, &body));
        let replies = futures_util::future::join_all(tries).await;
        let heard: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
        assert_eq!(heard.len(), 1);
        assert!(
            replies
                .iter()
                .all(|reply| matches!(reply.status, 200 | 422))
        );
        let approved = &heard[0].body;
        assert_eq!(approved["status"], "approved");
        assert_eq!(approved["approval"]["state"], "approved");
        assert_eq!(approved["approval"]["note"], "go");
        assert_eq!(approved["approval"]["approved_by"], made["created_by"]);
        assert_eq!(approved["targets"][1]["status"], "skipped");
        assert_eq!(approved["targets"][1]["error"], "it was not approved");
        let log = world
            .get(&owner, "/activity_logs?event=upgrade_pipeline.approved")
            .await;
        assert_eq!(log.body.as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_key_makes_one() {
    worlds(async |world| {
        let (_, place) = place(&world, "Acme", "beta").await;
        let token = world.sign_in(MIA).await;
        let headers = [("authorization", token.as_str()), ("idempotency-key", "k1")];
        let body = json!({ "all": true }).to_string();
        let first = world
            .send(Method::POST, &place, &headers, Some(body.clone()))
            .await;
        assert_eq!(first.status, 201, "{}", first.text);
        let again = world.send(Method::POST, &place, &headers, Some(body)).await;
        assert_eq!((again.status, &again.body["id"]), (201, &first.body["id"]));
        let targets = first.body["targets"].as_array().expect("targets");
        let slugs: Vec<_> = targets
            .iter()
            .map(|target| target["slug"].as_str())
            .collect();
        assert_eq!(
            slugs,
            [Some("shop")],
            "what has no update is not meant by all"
        );
        // Another method is none.
        let reply = send(&world, &token, Method::DELETE, &place, &Value::Null).await;
        assert_eq!(reply.status, 405);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_waited_for_for_ever_and_canaries_go_first() {
    worlds(async |world| {
        let (_, first) = place(&world, "Acme", "beta").await;
        let (_, second) = place(&world, "Acme", "gamma").await;
        let owner = world.sign_in(ANA).await;
        let fleet = &world.test.fleet;

        // Nobody approves it in time.
        let made = world
            .post_as(&owner, &first, &json!({ "all": true }))
            .await
            .body;
        awaits_approval(&world, &made).await;
        assert_eq!(fleet.attend_to_pipelines().await.expect("attended"), 0);
        let now = world.test.store.now().await.expect("a clock");
        let patch = PipelinePatch {
            approval_until: Some(now.minus(Duration::from_secs(1))),
            ..PipelinePatch::default()
        };
        put(&world, &made, patch).await;
        assert_eq!(fleet.attend_to_pipelines().await.expect("attended"), 1);
        let here = format!("{first}/{}", made["id"].as_str().expect("an id"));
        let over = world.get(&owner, &here).await.body;
        assert_eq!(
            (&over["status"], &over["error"]),
            (&json!("cancelled"), &json!("nobody approved it in time"))
        );
        assert_eq!(over["targets"][0]["status"], "skipped");
        assert_eq!(over["stages"][4]["status"], "skipped");

        // The others of a rollout wait for their canary, and end with it.
        let body = json!({ "all": true, "rollout_id": "week 47", "canary": true });
        let canary = world.post_as(&owner, &first, &body).await;
        assert_eq!(canary.status, 201, "{}", canary.text);
        let body = json!({ "all": true, "rollout_id": "week 47" });
        let other = world.post_as(&owner, &second, &body).await.body;
        let due = pipelines::due(&world.test.store).await.expect("due");
        let due: Vec<_> = due.iter().map(|row| row.short_id.clone()).collect();
        assert_eq!(due, [short(&canary.body)]);
        let id = short(&canary.body);
        let ended = fleet.cancel_pipeline(&console(), &id, "not today").await;
        assert_eq!(ended.expect("cancelled").status, PipelineState::Cancelled);
        fleet.attend_to_pipelines().await.expect("attended");
        let here = format!("{second}/{}", other["id"].as_str().expect("an id"));
        let over = world.get(&owner, &here).await.body;
        assert_eq!(over["status"], "cancelled");
        assert_eq!(over["error"], "a canary of its rollout did not end well");

        // One that is put off is not due yet.
        let later = now.plus(Duration::from_hours(2)).to_rfc3339();
        let body = json!({ "all": true, "scheduled_at": later });
        let put_off = world.post_as(&owner, &first, &body).await;
        assert_eq!(put_off.body["scheduled_at"], json!(later));
        assert!(
            pipelines::due(&world.test.store)
                .await
                .expect("due")
                .is_empty()
        );
    })
    .await;
}
