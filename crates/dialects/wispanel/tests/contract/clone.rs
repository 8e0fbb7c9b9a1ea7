//! T06, as far as it goes without a site.

use crate::world::{Who, assert_error, worlds};
use serde_json::json;

#[tokio::test]
async fn t06_what_must_be_given_and_where_it_may_go() {
    worlds(async |world| {
        let own = &world.own.environment.panel_id;
        let foreign = &world.foreign.environment.panel_id;
        let (invalid, missing) = ("VALIDATION_ERROR", "NOT_FOUND");
        let blog = "blog.example";
        for (body, status, code, text) in [
            (
                json!({ "target_domain": blog }),
                400,
                invalid,
                "Installation ID is required",
            ),
            (
                json!({ "source_id": own }),
                400,
                invalid,
                "Target domain is required",
            ),
            (
                json!({ "source_id": foreign, "target_domain": blog }),
                404,
                missing,
                "Installation not found",
            ),
            (
                json!({ "source_id": "wp_000000000", "target_domain": blog }),
                404,
                missing,
                "Installation not found",
            ),
            (
                json!({ "source_id": own, "target_domain": "foreign.example" }),
                404,
                missing,
                "Domain not found",
            ),
            (
                json!({ "source_id": own, "target_domain": "unknown.example" }),
                404,
                missing,
                "Domain not found",
            ),
            (
                json!({ "source_id": own, "target_domain": blog }),
                400,
                invalid,
                "The target is inside the source",
            ),
            (
                json!({ "source_id": own, "target_domain": blog, "target_path": "public_html/copy" }),
                400,
                invalid,
                "The target is inside the source",
            ),
        ] {
            let reply = world.post(Who::Member, "/clone", &body).await;
            assert_error(&reply, status, code, text);
        }
        let escaping = json!({ "source_id": own, "target_domain": blog, "target_path": "../x" });
        let reply = world.post(Who::Member, "/clone", &escaping).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        let wrong = json!({ "source_id": own, "target_domain": blog, "noindex": "yes" });
        let reply = world.post(Who::Member, "/clone", &wrong).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        let body = json!({ "source_id": own, "target_domain": "foreign.example" });
        let reply = world.post(Who::Operator, "/clone", &body).await;
        let text = "The domain belongs to another account";
        assert_error(&reply, 422, "VALIDATION_ERROR", text);
    })
    .await;
}
