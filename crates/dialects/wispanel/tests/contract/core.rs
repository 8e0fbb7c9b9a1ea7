//! T07 and T08, as far as they go without a site.

use crate::world::{Who, assert_error, worlds};
use serde_json::json;

#[tokio::test]
async fn t07_t08_ids_and_types() {
    worlds(async |world| {
        let own = &world.own.environment.panel_id;
        for path in ["/core/update", "/reinstall-core"] {
            let reply = world.post(Who::Member, path, &json!({})).await;
            let text = "Installation ID is required";
            assert_error(&reply, 400, "VALIDATION_ERROR", text);
            for id in ["wp_000000000", &world.foreign.environment.panel_id, "x"] {
                let reply = world.post(Who::Member, path, &json!({ "id": id })).await;
                assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
            }
            let reply = world.post(Who::Member, path, &json!({ "id": 7 })).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
        }
        for (member, wrong) in [
            ("version", json!(6.5)),
            ("minor_only", json!("yes")),
            ("minor_only", json!(1)),
        ] {
            let mut body = json!({ "id": own });
            body[member] = wrong;
            let reply = world.post(Who::Member, "/core/update", &body).await;
            assert_eq!(reply.status, 400, "{body}: {}", reply.text);
            assert!(reply.text.contains(member), "{}", reply.text);
        }
    })
    .await;
}
