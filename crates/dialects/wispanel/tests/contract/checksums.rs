//! T36, as far as it goes without a site.

use crate::world::{Who, assert_error, worlds};

#[tokio::test]
async fn t36_ids() {
    worlds(async |world| {
        for path in ["/verify-checksums", "/security/verify-checksums"] {
            for id in ["wp_000000000", &world.foreign.environment.panel_id, "7"] {
                let reply = world.get(Who::Member, &format!("{path}?id={id}")).await;
                assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
            }
            let reply = world.get(Who::Member, path).await;
            let text = "Installation ID is required";
            assert_error(&reply, 400, "VALIDATION_ERROR", text);
        }
    })
    .await;
}

#[tokio::test]
async fn t36_a_site_that_cannot_be_reached() {
    worlds(async |world| {
        let path = format!("/verify-checksums?id={}", world.own.environment.panel_id);
        let reply = world.get(Who::Viewer, &path).await;
        assert_eq!(reply.status, 502, "{}", reply.text);
        assert_eq!(reply.body["code"], "WP_CLI_ERROR");
    })
    .await;
}
