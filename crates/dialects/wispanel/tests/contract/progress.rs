//! T04 and §4.

use crate::world::{PASSWORD, Who, assert_error, running_job, worlds};
use insta::assert_json_snapshot;
use pressroom_base::Kind;
use pressroom_store::{
    JobState,
    jobs::{Failure, queue, record},
};
use reqwest::Method;
use std::time::Duration;

fn path(id: &str) -> String {
    format!("/install/{id}/progress")
}

#[tokio::test]
async fn t04_job_object_and_its_password_once() {
    worlds(async |world| {
        let path = path(&world.own.job);
        // Whoever may only look, or sees no body, does not use it up.
        for who in [Who::ReadOnly, Who::Viewer] {
            let reply = world.get(who, &path).await;
            assert_eq!(reply.status, 200);
            assert!(reply.body["result"]["admin_password"].is_null(), "{who:?}");
        }
        assert_eq!(
            world
                .send(Who::Member, Method::HEAD, &path, "")
                .await
                .status,
            200
        );
        let first = world.get(Who::Member, &path).await;
        assert_eq!(first.body["result"]["admin_password"], PASSWORD);
        assert_json_snapshot!("t04_job_object", first.body, {
            ".id" => "[job]",
            ".started_at" => "[time]",
            ".finished_at" => "[time]",
            ".result.installation.domain_id" => "[id]",
        });
        let second = world.get(Who::Member, &path).await;
        assert_eq!(second.status, 200);
        assert!(second.body["result"]["admin_password"].is_null());
        assert_eq!(
            second.body["result"]["installation"],
            first.body["result"]["installation"]
        );
    })
    .await;
}

#[tokio::test]
async fn t04_the_password_is_not_kept_for_ever() {
    worlds(async |world| {
        world
            .test
            .store
            .advance_clock(Duration::from_secs(15 * 60 + 5));
        let reply = world.get(Who::Member, &path(&world.own.job)).await;
        assert!(reply.body["result"]["admin_password"].is_null());
        assert_eq!(reply.body["result"]["admin_user"], "admin");
    })
    .await;
}

#[tokio::test]
async fn t04_an_installation_names_its_newest_job() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let reply = world.get(Who::Member, &path(id)).await;
        assert_eq!(reply.body["id"], world.own.job.as_str());
        let environment = &world.own.environment;
        let (job, public_id, epoch) =
            running_job(&world.test.store, environment, "component_update").await;
        let tx = world.test.store.begin().await.expect("a transaction");
        record::set_progress(&tx, job, epoch, 40, "Swapping")
            .await
            .expect("told");
        tx.commit().await.expect("committed");
        let reply = world.get(Who::Member, &path(id)).await;
        assert_eq!(reply.body["id"], public_id.as_str());
        for (member, value) in [
            ("type", "plugin_update".into()),
            ("status", "running".into()),
            ("progress", 40.into()),
            ("message", "Swapping".into()),
            ("installation_id", id.as_str().into()),
            ("error", serde_json::Value::Null),
            ("result", serde_json::Value::Null),
            ("finished_at", serde_json::Value::Null),
        ] {
            assert_eq!(reply.body[member], value, "{member}");
        }
    })
    .await;
}

#[tokio::test]
async fn t04_failed_jobs_say_why() {
    worlds(async |world| {
        let store = &world.test.store;
        for (ends, text) in [
            (JobState::Failed, "Interrupted"),
            (JobState::Dead, "it could not be undone"),
            (JobState::Cancelled, "Cancelled"),
        ] {
            let (job, public_id, epoch) =
                running_job(store, &world.own.environment, "site_install").await;
            let failure = Failure {
                kind: Kind::Remote,
                code: None,
                message: text.into(),
                hint: None,
                result: None,
            };
            let tx = store.begin().await.expect("a transaction");
            queue::undo_first(&tx, job, epoch, ends, &failure)
                .await
                .expect("decided");
            queue::end_undone(&tx, job, epoch).await.expect("ended");
            tx.commit().await.expect("committed");
            let reply = world.get(Who::Member, &path(&public_id)).await;
            assert_eq!(reply.body["status"], "failed", "{}", reply.text);
            assert_eq!(reply.body["error"], text);
            assert!(reply.body["result"].is_null());
        }
    })
    .await;
}

#[tokio::test]
async fn t04_unknown_foreign_and_malformed_ids_are_the_same() {
    worlds(async |world| {
        for id in [
            "job_000000000000",
            &world.foreign.job,
            &world.foreign.environment.panel_id,
            "wp_000000000",
            "7",
            "job_",
            "..",
            "%2e%2e",
            "job_'; DROP TABLE jobs; --",
        ] {
            let path = path(&id.replace(' ', "%20"));
            if id == ".." || id == "%2e%2e" {
                // A client resolves these itself; what is left is another path.
                continue;
            }
            let reply = world.get(Who::Member, &path).await;
            assert_error(&reply, 404, "NOT_FOUND", "Job not found");
        }
    })
    .await;
}
