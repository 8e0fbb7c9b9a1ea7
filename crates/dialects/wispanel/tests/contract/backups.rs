//! T32, T33, T34, as far as they go without a site.

use crate::world::{Who, assert_error, kept_snapshot, running_job, worlds};
use insta::assert_json_snapshot;
use pressroom_store::{SnapshotContents, environments};
use serde_json::{Value, json};

#[tokio::test]
async fn t32_backup_object_and_whose_they_are() {
    worlds(async |world| {
        assert_eq!(world.get(Who::Viewer, "/backups").await.body, json!([]));
        let store = &world.test.store;
        kept_snapshot(store, &world.own, "own1", SnapshotContents::Full).await;
        kept_snapshot(store, &world.own, "own2", SnapshotContents::Database).await;
        kept_snapshot(store, &world.foreign, "foreign1", SnapshotContents::Files).await;
        let all = world.get(Who::Viewer, "/backups").await;
        assert_eq!(all.status, 200);
        assert_json_snapshot!("t32_backups", all.body, { "[].created_at" => "[time]" });
        let of = format!("/backups?id={}", world.own.environment.panel_id);
        assert_eq!(world.get(Who::Viewer, &of).await.body, all.body);
        let operators = world.get(Who::Operator, "/backups").await;
        assert_eq!(operators.body.as_array().map(Vec::len), Some(3));
        for id in ["wp_000000000", &world.foreign.environment.panel_id, "7"] {
            let reply = world.get(Who::Viewer, &format!("/backups?id={id}")).await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        }
    })
    .await;
}

#[tokio::test]
async fn t32_a_backup_outlives_its_installation() {
    worlds(async |world| {
        let store = &world.test.store;
        kept_snapshot(store, &world.own, "own1", SnapshotContents::Full).await;
        let tx = store.begin().await.expect("a transaction");
        environments::remove(&tx, world.own.environment.id)
            .await
            .expect("removed");
        tx.commit().await.expect("committed");
        let reply = world.get(Who::Viewer, "/backups").await;
        let found = &reply.body[0];
        assert_eq!(found["installation_id"], world.own.environment.panel_id);
        assert_eq!(found["domain"], world.own.domain);
        assert_eq!(found["status"], "completed");
    })
    .await;
}

#[tokio::test]
async fn t33_starts_one_and_t04_shows_it() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let body = json!({ "id": id, "type": "database", "note": "nightly" });
        let reply = world.post(Who::Member, "/backup", &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_json_snapshot!("t33_started", reply.body, {
            ".job_id" => "[job]",
            ".progress_url" => "[address]",
        });
        let list = world.get(Who::Member, "/backups").await;
        assert_eq!(list.body[0]["status"], "running");
        assert_eq!(list.body[0]["type"], "database");
        assert_eq!(list.body[0]["note"], "nightly");
        assert_eq!(list.body[0]["sha256"], Value::Null);
        let url = reply.string("progress_url").expect("an address");
        let job = world.get(Who::Member, &url).await;
        assert_eq!(job.body["type"], "backup");
        assert_eq!(job.body["result"], Value::Null);

        let again = world.post(Who::Member, "/backup", &body).await;
        let text = "Another operation is running on this installation";
        assert_error(&again, 409, "CONFLICT", text);
    })
    .await;
}

#[tokio::test]
async fn t33_bad_values() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let type_text = "`type` must be `full`, `database` or `files`";
        for (body, status, code, text) in [
            (
                json!({}),
                400,
                "VALIDATION_ERROR",
                "Installation ID is required",
            ),
            (
                json!({ "id": id, "type": "tables" }),
                400,
                "VALIDATION_ERROR",
                type_text,
            ),
            (
                json!({ "id": id, "note": "x".repeat(201) }),
                400,
                "VALIDATION_ERROR",
                "A note has at most 200 characters",
            ),
            (
                json!({ "id": "wp_000000000" }),
                404,
                "NOT_FOUND",
                "Installation not found",
            ),
            (
                json!({ "id": world.foreign.environment.panel_id }),
                404,
                "NOT_FOUND",
                "Installation not found",
            ),
        ] {
            let reply = world.post(Who::Member, "/backup", &body).await;
            assert_error(&reply, status, code, text);
        }
        let wrong = world
            .post(Who::Member, "/backup", &json!({ "id": id, "type": 7 }))
            .await;
        assert_eq!(wrong.status, 400, "{}", wrong.text);
        assert!(wrong.text.contains("`type`"), "{}", wrong.text);
        assert_eq!(world.get(Who::Member, "/backups").await.body, json!([]));
    })
    .await;
}

#[tokio::test]
async fn t34_which_backups_may_be_restored() {
    worlds(async |world| {
        let store = &world.test.store;
        kept_snapshot(store, &world.own, "own1", SnapshotContents::Database).await;
        kept_snapshot(store, &world.foreign, "foreign1", SnapshotContents::Full).await;
        let id = &world.own.environment.panel_id;
        let invalid = "VALIDATION_ERROR";
        let type_text = "`type` must be `full`, `database` or `files`";
        let not_found = "Backup not found";
        for (body, status, code, text) in [
            (json!({ "id": id }), 400, invalid, "Backup ID is required"),
            (
                json!({ "id": id, "backup_id": "" }),
                400,
                invalid,
                "Backup ID is required",
            ),
            (
                json!({ "id": id, "backup_id": "bk_own1", "type": "x" }),
                400,
                invalid,
                type_text,
            ),
            (json!({ "id": id, "backup_id": "own1" }), 404, "NOT_FOUND", not_found),
            (json!({ "id": id, "backup_id": "bk_none" }), 404, "NOT_FOUND", not_found),
            (json!({ "id": id, "backup_id": "bk_'" }), 404, "NOT_FOUND", not_found),
            (
                json!({ "id": id, "backup_id": "bk_own1", "type": "full" }),
                422,
                invalid,
                "The snapshot holds the tables alone",
            ),
            (
                json!({ "id": id, "backup_id": "bk_foreign1" }),
                422,
                invalid,
                "The snapshot is of a site of another account",
            ),
        ] {
            let reply = world.post(Who::Operator, "/restore", &body).await;
            assert_error(&reply, status, code, text);
        }
        // An account's own people do not learn that it is there, forced or not.
        let body = json!({ "id": world.foreign.environment.panel_id, "backup_id": "bk_own1", "force": true });
        let reply = world.post(Who::Foreigner, "/restore", &body).await;
        assert_error(&reply, 404, "NOT_FOUND", "Backup not found");

        let body = json!({ "id": id, "backup_id": "bk_own1", "safety_backup": false });
        let refused = world.post(Who::Member, "/restore", &body).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        let reply = world.post(Who::Operator, "/restore", &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.body["message"], "Restore started");
        let again = world.post(Who::Operator, "/restore", &body).await;
        let text = "Another operation is running on this installation";
        assert_error(&again, 409, "CONFLICT", text);
    })
    .await;
}

#[tokio::test]
async fn t34_the_same_key_starts_one_restore() {
    worlds(async |world| {
        let store = &world.test.store;
        kept_snapshot(store, &world.own, "own1", SnapshotContents::Full).await;
        let id = &world.own.environment.panel_id;
        let body = json!({ "id": id, "backup_id": "bk_own1" });
        let mut jobs = Vec::new();
        for _ in 0..2 {
            let headers = [("Idempotency-Key", "once")];
            let sent = world
                .api(Who::Operator)
                .post_with("/api/v1/wordpress/restore", &headers, &body)
                .await;
            let reply = sent.expect("an answer");
            assert_eq!(reply.status, 200, "{}", reply.text);
            jobs.push(reply.string("job_id").expect("a job"));
        }
        assert_eq!(jobs[0], jobs[1]);
    })
    .await;
}

#[tokio::test]
async fn t33_one_operation_at_a_time() {
    worlds(async |world| {
        running_job(&world.test.store, &world.own.environment, "site_restore").await;
        let body = json!({ "id": world.own.environment.panel_id });
        let reply = world.post(Who::Member, "/backup", &body).await;
        let text = "Another operation is running on this installation";
        assert_error(&reply, 409, "CONFLICT", text);
    })
    .await;
}
