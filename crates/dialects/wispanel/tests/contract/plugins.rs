//! T15, T19, as far as they go without a site.

use crate::world::{Who, assert_error, worlds};
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn t15_plugin_object() {
    worlds(async |world| {
        let path = format!("/plugins?id={}", world.own.environment.panel_id);
        let reply = world.get(Who::Viewer, &path).await;
        assert_eq!(reply.status, 200);
        assert_json_snapshot!("t15_plugins", reply.body);
    })
    .await;
}

#[tokio::test]
async fn t15_ids() {
    worlds(async |world| {
        for id in ["wp_000000000", &world.foreign.environment.panel_id, "7"] {
            let reply = world.get(Who::Member, &format!("/plugins?id={id}")).await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        }
        let reply = world.get(Who::Member, "/plugins?id=").await;
        assert_error(
            &reply,
            400,
            "VALIDATION_ERROR",
            "Installation ID is required",
        );
        let reply = world.get(Who::Member, "/plugins?id=a&id=b").await;
        let text = "The query names `id` more than once";
        assert_error(&reply, 400, "VALIDATION_ERROR", text);
    })
    .await;
}

#[tokio::test]
async fn t19_what_must_be_named() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let many: Vec<String> = (0..51).map(|n| format!("p{n}")).collect();
        for (body, text) in [
            (json!({ "plugin": "a" }), "Installation ID is required"),
            (json!({ "id": id }), "Plugin is required"),
            (json!({ "id": id, "plugin": "" }), "Plugin is required"),
            (
                json!({ "id": id, "plugins": [] }),
                "`plugins` must name 1 to 50 plugins",
            ),
            (
                json!({ "id": id, "plugins": many }),
                "`plugins` must name 1 to 50 plugins",
            ),
            (
                json!({ "id": id, "plugin": "a", "plugins": ["b"] }),
                "Give `plugin` or `plugins`, not both",
            ),
        ] {
            let reply = world.post(Who::Member, "/plugins/update", &body).await;
            assert_error(&reply, 400, "VALIDATION_ERROR", text);
        }
    })
    .await;
}

#[tokio::test]
async fn t19_ids() {
    worlds(async |world| {
        for id in ["wp_000000000", &world.foreign.environment.panel_id, "7"] {
            let body = json!({ "id": id, "plugin": "akismet" });
            let reply = world.post(Who::Member, "/plugins/update", &body).await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        }
    })
    .await;
}

#[tokio::test]
async fn t19_a_site_that_cannot_be_reached() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        for body in [
            json!({ "id": id, "plugin": "akismet" }),
            json!({ "id": id, "plugins": ["akismet", "wordfence"] }),
            json!({ "id": id, "plugin": "all" }),
        ] {
            let reply = world.post(Who::Member, "/plugins/update", &body).await;
            assert_eq!(reply.status, 502, "{}", reply.text);
            assert_eq!(reply.body["code"], "WP_CLI_ERROR");
            let error = reply.body["error"].as_str().expect("a text");
            assert!(error.chars().count() <= 500);
        }
    })
    .await;
}
