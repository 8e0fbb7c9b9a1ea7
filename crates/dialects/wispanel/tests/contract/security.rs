//! T35 and T37–T40, as far as they go without a site.

use crate::world::{Who, assert_error, running_job, worlds};
use serde_json::{Value, json};

const MEASURES: [&str; 4] = [
    "/security/disable-file-edit",
    "/security/file-protection",
    "/security/hide-login",
    "/security/toggle-debug",
];

#[tokio::test]
async fn t35_ids_and_a_site_that_cannot_be_reached() {
    worlds(async |world| {
        for id in ["wp_000000000", &world.foreign.environment.panel_id, "7"] {
            let reply = world.get(Who::Member, &format!("/security?id={id}")).await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        }
        let reply = world.get(Who::Member, "/security").await;
        assert_error(
            &reply,
            400,
            "VALIDATION_ERROR",
            "Installation ID is required",
        );
        let path = format!("/security?id={}", world.own.environment.panel_id);
        let reply = world.get(Who::Viewer, &path).await;
        assert_eq!(reply.status, 502, "{}", reply.text);
        assert_eq!(reply.body["code"], "WP_CLI_ERROR");
    })
    .await;
}

#[tokio::test]
async fn t37_to_t40_what_is_missing_malformed_or_foreign() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        for path in MEASURES {
            let reply = world
                .post(Who::Member, path, &json!({ "enabled": true }))
                .await;
            assert_error(
                &reply,
                400,
                "VALIDATION_ERROR",
                "Installation ID is required",
            );
            for wrong in [json!("yes"), json!(1)] {
                let body = json!({ "id": id, "enabled": wrong });
                let reply = world.post(Who::Member, path, &body).await;
                assert_eq!(reply.status, 400, "{}", reply.text);
                assert!(reply.text.contains("enabled"), "{}", reply.text);
            }
            for foreign in ["wp_000000000", &world.foreign.environment.panel_id, "x"] {
                let body = json!({ "id": foreign });
                let reply = world.post(Who::Member, path, &body).await;
                assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
            }
            let reply = world.post(Who::Viewer, path, &json!({ "id": id })).await;
            assert_eq!(reply.status, 403, "{}", reply.text);
        }
    })
    .await;
}

#[tokio::test]
async fn t39_slugs_that_cannot_be() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let ask = async |slug: Value| {
            let body = json!({ "id": id, "slug": slug });
            world.post(Who::Member, "/security/hide-login", &body).await
        };
        let rule = "Slug must be 3 to 40 lower-case letters, digits and `-`";
        for bad in [
            "",
            "ab",
            "Door",
            "side door",
            "../door",
            "t\u{fc}r",
            &"a".repeat(41),
        ] {
            let reply = ask(json!(bad)).await;
            assert_error(&reply, 422, "VALIDATION_ERROR", rule);
        }
        for taken in ["wp-admin", "wp-json", "login", "feed"] {
            let reply = ask(json!(taken)).await;
            let text = format!("Slug `{taken}` means something to WordPress");
            assert_error(&reply, 422, "VALIDATION_ERROR", &text);
        }
        let reply = ask(json!(7)).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn t37_to_t40_wait_for_nobody() {
    worlds(async |world| {
        let environment = &world.own.environment;
        running_job(&world.test.store, environment, "component_update").await;
        for path in MEASURES {
            let body = json!({ "id": environment.panel_id });
            let reply = world.post(Who::Member, path, &body).await;
            let text = "Another operation is running on this installation";
            assert_error(&reply, 409, "CONFLICT", text);
        }
    })
    .await;
}
