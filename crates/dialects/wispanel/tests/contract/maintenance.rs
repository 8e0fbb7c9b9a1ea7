//! T09, as far as it goes without a site.

use crate::world::{Who, assert_error, running_job, worlds};
use serde_json::json;

#[tokio::test]
async fn t09_what_is_missing_malformed_or_busy() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let path = "/maintenance";
        for (body, text) in [
            (json!({ "enabled": true }), "Installation ID is required"),
            (json!({ "id": id }), "Enabled is required"),
            (json!({ "id": id, "enabled": null }), "Enabled is required"),
        ] {
            let reply = world.post(Who::Member, path, &body).await;
            assert_error(&reply, 400, "VALIDATION_ERROR", text);
        }
        for wrong in [json!("yes"), json!(1)] {
            let body = json!({ "id": id, "enabled": wrong });
            let reply = world.post(Who::Member, path, &body).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
            assert!(reply.text.contains("enabled"), "{}", reply.text);
        }
        for foreign in ["wp_000000000", &world.foreign.environment.panel_id, "x"] {
            let body = json!({ "id": foreign, "enabled": true });
            let reply = world.post(Who::Member, path, &body).await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        }
        running_job(
            &world.test.store,
            &world.own.environment,
            "component_update",
        )
        .await;
        let body = json!({ "id": id, "enabled": true });
        let reply = world.post(Who::Member, path, &body).await;
        let text = "Another operation is running on this installation";
        assert_error(&reply, 409, "CONFLICT", text);
    })
    .await;
}
