//! T13, as far as it goes without a site.

use crate::world::{Who, assert_error, running_job, worlds};
use serde_json::json;

#[tokio::test]
async fn t13_ids_and_redirects() {
    worlds(async |world| {
        for id in [
            "wp_000000000",
            &world.foreign.environment.panel_id,
            "7",
            "wp_'",
        ] {
            for path in ["/auto-login", "/admin/auto-login"] {
                let reply = world.post(Who::Member, path, &json!({ "id": id })).await;
                assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
            }
        }
        let id = &world.own.environment.panel_id;
        for redirect in [
            "https://else.example/",
            "//else.example/",
            "javascript:alert(1)",
        ] {
            let body = json!({ "id": id, "redirect": redirect });
            let reply = world.post(Who::Member, "/auto-login", &body).await;
            assert_eq!(reply.status, 422, "{redirect}: {}", reply.text);
            assert_eq!(reply.body["code"], "VALIDATION_ERROR");
        }
    })
    .await;
}

#[tokio::test]
async fn t13_one_operation_at_a_time() {
    worlds(async |world| {
        running_job(
            &world.test.store,
            &world.own.environment,
            "component_update",
        )
        .await;
        let body = json!({ "id": world.own.environment.panel_id });
        let reply = world.post(Who::Member, "/auto-login", &body).await;
        let text = "Another operation is running on this installation";
        assert_error(&reply, 409, "CONFLICT", text);
    })
    .await;
}
