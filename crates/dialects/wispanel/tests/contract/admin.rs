//! T12 and T14, as far as they go without a site.

use crate::world::{Who, World, assert_error, running_job, worlds};
use serde_json::{Value, json};

const CREATE: [&str; 1] = ["/admin/create"];
const RESET: [&str; 2] = ["/password/reset", "/admin/password/reset"];

/// Posts to every path; all must answer alike.
async fn refused(world: &World, paths: &[&str], body: &Value, status: u16, text: &str) {
    let code = match status {
        404 => "NOT_FOUND",
        409 => "CONFLICT",
        _ => "VALIDATION_ERROR",
    };
    for path in paths {
        let reply = world.post(Who::Member, path, body).await;
        assert_error(&reply, status, code, text);
    }
}

#[tokio::test]
async fn t12_what_is_missing_malformed_or_impossible() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let user = |name: &str, value: Value| {
            let mut body = json!({ "id": id, "username": "ops", "email": "ops@x.example" });
            body[name] = value;
            body
        };
        let missing = "Username and email are required";
        for body in [
            json!({ "id": id }),
            user("username", Value::Null),
            user("email", "".into()),
        ] {
            refused(&world, &CREATE, &body, 400, missing).await;
        }
        let no_id = user("id", Value::Null);
        refused(&world, &CREATE, &no_id, 400, "Installation ID is required").await;
        for foreign in ["wp_000000000", &world.foreign.environment.panel_id, "7"] {
            let body = user("id", foreign.into());
            refused(&world, &CREATE, &body, 404, "Installation not found").await;
        }
        for (name, value) in [
            ("username", json!("a<b")),
            ("username", json!("two  blanks")),
            ("email", json!("nobody")),
            ("password", json!("short")),
            ("role", json!("")),
            ("role", json!("a'b")),
        ] {
            let body = user(name, value);
            let reply = world.post(Who::Member, "/admin/create", &body).await;
            assert_eq!(reply.status, 422, "{body}: {}", reply.text);
            assert_eq!(reply.body["code"], "VALIDATION_ERROR");
        }
        for (name, value) in [("username", json!(7)), ("role", json!(["administrator"]))] {
            let body = user(name, value);
            let reply = world.post(Who::Member, "/admin/create", &body).await;
            assert_eq!(reply.status, 400, "{body}: {}", reply.text);
            assert!(reply.text.contains(name), "{}", reply.text);
        }
    })
    .await;
}

#[tokio::test]
async fn t14_what_is_missing_malformed_or_impossible() {
    worlds(async |world| {
        let id = &world.own.environment.panel_id;
        let nobody = json!({ "id": id });
        refused(&world, &RESET, &nobody, 400, "Username is required").await;
        let both = json!({ "id": id, "username": "admin", "user_id": 1 });
        let text = "Give `username` or `user_id`, not both";
        refused(&world, &RESET, &both, 400, text).await;
        for foreign in ["wp_000000000", &world.foreign.environment.panel_id] {
            let body = json!({ "id": foreign, "username": "admin" });
            refused(&world, &RESET, &body, 404, "Installation not found").await;
        }
        let weak = json!({ "id": id, "username": "admin", "password": "short" });
        let text = "Password must have at least 8 characters";
        refused(&world, &RESET, &weak, 422, text).await;
        let body = json!({ "id": id, "user_id": "1" });
        let reply = world.post(Who::Member, "/password/reset", &body).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn t12_t14_one_operation_at_a_time() {
    worlds(async |world| {
        running_job(
            &world.test.store,
            &world.own.environment,
            "component_update",
        )
        .await;
        let id = &world.own.environment.panel_id;
        let text = "Another operation is running on this installation";
        let body = json!({ "id": id, "username": "ops", "email": "ops@x.example" });
        refused(&world, &CREATE, &body, 409, text).await;
        let body = json!({ "id": id, "username": "ops" });
        refused(&world, &RESET, &body, 409, text).await;
    })
    .await;
}
