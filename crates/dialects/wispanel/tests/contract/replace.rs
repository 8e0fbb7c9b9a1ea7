//! T10, as far as it goes without a site.

use crate::world::{Who, assert_error, running_job, worlds};
use serde_json::json;

#[tokio::test]
async fn t10_what_must_be_given() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let invalid = "VALIDATION_ERROR";
        let search = "Search text is required";
        let regex = "Regular expressions are not supported: lengths inside serialized values \
                     and the check afterwards need a plain text";
        for (body, status, text) in [
            (json!({ "id": id, "replace": "b" }), 400, search),
            (
                json!({ "id": id, "search": "", "replace": "b" }),
                400,
                search,
            ),
            (
                json!({ "id": id, "search": "a" }),
                400,
                "Replacement is required; it may be empty",
            ),
            (
                json!({ "search": "a", "replace": "" }),
                400,
                "Installation ID is required",
            ),
            (
                json!({ "id": id, "search": "a", "replace": "a" }),
                400,
                "Both texts are the same",
            ),
            (
                json!({ "id": id, "search": "a.*", "replace": "a", "regex": true }),
                422,
                regex,
            ),
        ] {
            let reply = world.post(Who::Operator, "/search-replace", &body).await;
            assert_error(&reply, status, invalid, text);
        }
        for wrong in [
            json!({ "id": id, "search": 7, "replace": "" }),
            json!({ "id": id, "search": "a", "replace": "", "tables": "wp_posts" }),
            json!({ "id": id, "search": "a", "replace": "", "dry_run": "yes" }),
        ] {
            let reply = world.post(Who::Operator, "/search-replace", &wrong).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
            assert_eq!(reply.body["code"], invalid);
        }
    })
    .await;
}

#[tokio::test]
async fn t10_ids_and_roles() {
    worlds(async |world| {
        for id in ["wp_000000000", "7", "wp_'"] {
            let body = json!({ "id": id, "search": "a", "replace": "b" });
            let reply = world.post(Who::Operator, "/search-replace", &body).await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        }
        let foreign = &world.foreign.environment.panel_id;
        let body = json!({ "id": foreign, "search": "a", "replace": "b", "dry_run": true });
        let reply = world.post(Who::Member, "/search-replace", &body).await;
        assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        let own = &world.own.environment.panel_id;
        let body = json!({ "id": own, "search": "a", "replace": "b", "dry_run": true });
        let reply = world.post(Who::Member, "/search-replace", &body).await;
        assert_eq!(reply.status, 403, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn t10_one_operation_at_a_time() {
    worlds(async |world| {
        running_job(&world.test.store, &world.own.environment, "site_snapshot").await;
        let id = &world.own.environment.panel_id;
        let body = json!({ "id": id, "search": "a", "replace": "b" });
        let reply = world.post(Who::Operator, "/search-replace", &body).await;
        let text = "Another operation is running on this installation";
        assert_error(&reply, 409, "CONFLICT", text);
    })
    .await;
}
