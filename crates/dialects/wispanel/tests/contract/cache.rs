//! T27 to T31, as far as they go without a site.

use crate::world::{Who, assert_error, running_job, worlds};
use serde_json::json;

const WRITES: [&str; 4] = [
    "/cache/enable",
    "/cache/disable",
    "/cache/flush",
    "/cache/purge",
];

#[tokio::test]
async fn t27_to_t31_what_is_missing_malformed_foreign_or_busy() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let reply = world.get(Who::Member, "/cache").await;
        assert_error(
            &reply,
            400,
            "VALIDATION_ERROR",
            "Installation ID is required",
        );
        for foreign in ["wp_000000000", &world.foreign.environment.panel_id, "x"] {
            let reply = world
                .get(Who::Member, &format!("/cache?id={foreign}"))
                .await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
            for path in WRITES {
                let reply = world
                    .post(Who::Member, path, &json!({ "id": foreign }))
                    .await;
                assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
            }
        }
        for path in WRITES {
            let reply = world.post(Who::Member, path, &json!({})).await;
            assert_error(
                &reply,
                400,
                "VALIDATION_ERROR",
                "Installation ID is required",
            );
            let reply = world.post(Who::Member, path, &json!({ "id": 1 })).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
        }
        for path in ["/cache/enable", "/cache/disable"] {
            let reply = world
                .post(Who::Member, path, &json!({ "id": id, "type": "browser" }))
                .await;
            assert_error(
                &reply,
                400,
                "VALIDATION_ERROR",
                "Type must be `page` or `object`",
            );
            let reply = world
                .post(Who::Member, path, &json!({ "id": id, "type": ["page"] }))
                .await;
            assert_eq!(reply.status, 400, "{}", reply.text);
            assert!(reply.text.contains("type"), "{}", reply.text);
        }
        for url in ["nowhere", "ftp://blog.example/", "//blog.example/"] {
            let reply = world
                .post(
                    Who::Member,
                    "/cache/purge",
                    &json!({ "id": id, "url": url }),
                )
                .await;
            let text = "Url must be the address of a page of the site";
            assert_error(&reply, 422, "VALIDATION_ERROR", text);
        }
        let reply = world
            .post(Who::Member, "/cache/purge", &json!({ "id": id, "url": 1 }))
            .await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        running_job(
            &world.test.store,
            &world.own.environment,
            "component_update",
        )
        .await;
        for path in WRITES {
            let reply = world.post(Who::Member, path, &json!({ "id": id })).await;
            let text = "Another operation is running on this installation";
            assert_error(&reply, 409, "CONFLICT", text);
        }
    })
    .await;
}
