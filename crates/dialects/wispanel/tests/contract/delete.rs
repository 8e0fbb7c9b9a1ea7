//! T11, as far as it goes without a site.

use crate::world::{Who, assert_error, kept_snapshot, running_job, worlds};
use pressroom_store::{SnapshotContents, environments, jobs::queue};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn t11_the_id_in_the_body_or_in_the_query() {
    worlds(async |world| {
        let own = &world.own.environment;
        running_job(&world.test.store, own, "site_snapshot").await;
        let (id, running) = (
            &own.panel_id,
            "Another operation is running on this installation",
        );
        let body = json!({ "id": id }).to_string();
        let query = format!("/delete?id={id}");
        for (method, path, body) in [
            (Method::DELETE, "/delete", &*body),
            (Method::DELETE, &*query, ""),
            (Method::DELETE, &*query, &*body),
            (Method::POST, "/delete", &*body),
            (Method::POST, &*query, ""),
        ] {
            let reply = world.send(Who::Operator, method, path, body).await;
            assert_error(&reply, 409, "CONFLICT", running);
        }
        let other = "/delete?id=wp_000000000";
        let reply = world
            .send(Who::Operator, Method::DELETE, other, &body)
            .await;
        let text = "`id` in the body and in the query differ";
        assert_error(&reply, 400, "VALIDATION_ERROR", text);
    })
    .await;
}

#[tokio::test]
async fn t11_ids_roles_and_values() {
    worlds(async |world| {
        let send = async |who, body: serde_json::Value| {
            world
                .send(who, Method::DELETE, "/delete", &body.to_string())
                .await
        };
        let foreign = &world.foreign.environment.panel_id;
        let reply = world
            .send(Who::Operator, Method::DELETE, "/delete", "")
            .await;
        assert_error(
            &reply,
            400,
            "VALIDATION_ERROR",
            "Installation ID is required",
        );
        for id in ["wp_000000000", foreign, "7"] {
            let reply = send(Who::Member, json!({ "id": id })).await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        }
        let own = &world.own.environment.panel_id;
        for who in [Who::Member, Who::Viewer, Who::ReadOnly] {
            assert_eq!(send(who, json!({ "id": own })).await.status, 403, "{who:?}");
        }
        for member in ["delete_database", "delete_files", "backup"] {
            let mut body = json!({ "id": own });
            body[member] = "yes".into();
            let reply = send(Who::Operator, body).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
            assert!(reply.text.contains(member), "{}", reply.text);
        }
        let large = json!({ "id": own, "padding": "x".repeat(70_000) });
        assert_eq!(send(Who::Operator, large).await.status, 413);
        let get = world.get(Who::Operator, "/delete").await;
        assert_eq!(get.status, 405);
        assert_eq!(get.header("allow"), Some("DELETE, OPTIONS, POST"));
    })
    .await;
}

#[tokio::test]
async fn t11_a_job_that_took_longer_shows_the_backup() {
    worlds(async |world| {
        let (store, own) = (&world.test.store, &world.own);
        kept_snapshot(store, own, "own1", SnapshotContents::Full).await;
        for backup in [Some("own1"), None] {
            let (job, public_id, epoch) = running_job(store, &own.environment, "site_remove").await;
            let result = json!({ "removed": true, "backup": backup });
            let tx = store.begin().await.expect("a transaction");
            queue::complete(&tx, job, epoch, &result)
                .await
                .expect("done");
            if backup.is_none() {
                environments::remove(&tx, own.environment.id)
                    .await
                    .expect("removed");
            }
            tx.commit().await.expect("committed");
            let path = format!("/install/{public_id}/progress");
            let reply = world.get(Who::Member, &path).await;
            assert_eq!(reply.body["status"], "completed", "{}", reply.text);
            assert_eq!(reply.body["type"], "delete");
            match backup {
                Some(_) => {
                    let list = world.get(Who::Member, "/backups").await;
                    assert_eq!(reply.body["result"], json!({ "backup": list.body[0] }));
                }
                None => assert!(reply.body["result"].is_null(), "{}", reply.text),
            }
        }
    })
    .await;
}
