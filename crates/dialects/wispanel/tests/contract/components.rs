//! T16–T26, as far as they go without a site.

use crate::world::{Who, assert_error, running_job, worlds};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

/// Every change of a component: path, and the member that names one.
const CHANGES: [(&str, &str); 10] = [
    ("/plugins/install", "plugin"),
    ("/plugins/activate", "plugin"),
    ("/plugins/deactivate", "plugin"),
    ("/plugins/update", "plugin"),
    ("/plugins/delete", "plugin"),
    ("/themes/install", "theme"),
    ("/themes/activate", "theme"),
    ("/themes/deactivate", "theme"),
    ("/themes/update", "theme"),
    ("/themes/delete", "theme"),
];

#[tokio::test]
async fn t21_theme_object() {
    worlds(async |world| {
        let path = format!("/themes?id={}", world.own.environment.panel_id);
        let reply = world.get(Who::Viewer, &path).await;
        assert_eq!(reply.status, 200);
        assert_json_snapshot!("t21_themes", reply.body);
        for id in ["wp_000000000", &world.foreign.environment.panel_id, "7"] {
            let reply = world.get(Who::Member, &format!("/themes?id={id}")).await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        }
        let reply = world.get(Who::Member, "/themes").await;
        let text = "Installation ID is required";
        assert_error(&reply, 400, "VALIDATION_ERROR", text);
    })
    .await;
}

#[tokio::test]
async fn t16_to_t26_what_must_be_named() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        for (path, one) in CHANGES {
            let title = if one == "plugin" { "Plugin" } else { "Theme" };
            let (some, other) = (
                format!("{one}s"),
                if one == "plugin" { "theme" } else { "plugin" },
            );
            let many: Vec<String> = (0..51).map(|n| format!("p{n}")).collect();
            for (body, text) in [
                (
                    json!({ one: "a" }),
                    "Installation ID is required".to_owned(),
                ),
                (json!({ "id": id }), format!("{title} is required")),
                (json!({ "id": id, one: "" }), format!("{title} is required")),
                // The other kind's member is no alias.
                (
                    json!({ "id": id, other: "a" }),
                    format!("{title} is required"),
                ),
                (
                    json!({ "id": id, &some: [] }),
                    format!("`{some}` must name 1 to 50 {some}"),
                ),
                (
                    json!({ "id": id, &some: many }),
                    format!("`{some}` must name 1 to 50 {some}"),
                ),
                (
                    json!({ "id": id, one: "a", &some: ["b"] }),
                    format!("Give `{one}` or `{some}`, not both"),
                ),
            ] {
                let reply = world.post(Who::Member, path, &body).await;
                assert_error(&reply, 400, "VALIDATION_ERROR", &text);
            }
            for bad in [json!({ "id": id, one: 7 }), json!({ "id": id, &some: "a" })] {
                let reply = world.post(Who::Member, path, &bad).await;
                assert_eq!(reply.status, 400, "{path} {bad}: {}", reply.text);
                assert_eq!(reply.body["code"], "VALIDATION_ERROR");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn t16_to_t26_ids_and_sites_that_cannot_be_reached() {
    worlds(async |world| {
        for (path, one) in CHANGES {
            for id in ["wp_000000000", &world.foreign.environment.panel_id, "7"] {
                let body = json!({ "id": id, one: "akismet" });
                let reply = world.post(Who::Member, path, &body).await;
                assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
            }
            let id = &world.own.environment.panel_id;
            for body in [
                json!({ "id": id, one: "a" }),
                json!({ "id": id, format!("{one}s"): ["a"] }),
            ] {
                let reply = world.post(Who::Member, path, &body).await;
                assert_eq!(reply.status, 502, "{path}: {}", reply.text);
                assert_eq!(reply.body["code"], "WP_CLI_ERROR");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn t16_t22_values_that_cannot_work() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        for (path, one) in [CHANGES[0], CHANGES[5]] {
            let cases: [(Value, u16); 8] = [
                (json!({ "id": id, one: "../x" }), 400),
                (json!({ "id": id, one: "a\u{0}" }), 400),
                (json!({ "id": id, one: "a", "activate": "yes" }), 400),
                (json!({ "id": id, one: "a", "version": 1 }), 400),
                (
                    json!({ "id": id, one: "a", "version": "1", "source": "https://h.example/a.zip" }),
                    400,
                ),
                (
                    json!({ "id": id, format!("{one}s"): ["a", "b"], "version": "1" }),
                    400,
                ),
                (json!({ "id": id, one: "a", "source": "http://h.example/a.zip" }), 422),
                (json!({ "id": id, one: "a", "source": "a.zip" }), 422),
            ];
            for (body, status) in cases {
                let reply = world.post(Who::Member, path, &body).await;
                assert_eq!(reply.status, status, "{body}: {}", reply.text);
                assert_eq!(reply.body["code"], "VALIDATION_ERROR");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn t16_to_t26_a_viewer_and_a_reading_key_may_not() {
    worlds(async |world| {
        running_job(
            &world.test.store,
            &world.own.environment,
            "component_change",
        )
        .await;
        for (path, one) in CHANGES {
            let body = json!({ "id": world.own.environment.panel_id, one: "akismet" });
            for who in [Who::Viewer, Who::ReadOnly] {
                let reply = world.post(who, path, &body).await;
                assert_eq!(reply.status, 403, "{path} {who:?}: {}", reply.text);
            }
        }
    })
    .await;
}
