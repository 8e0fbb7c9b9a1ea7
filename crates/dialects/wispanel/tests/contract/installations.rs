//! §2 and T01, T02, T03.

use crate::world::{Who, assert_error, worlds};
use insta::assert_json_snapshot;
use pressroom_base::token;
use pressroom_store::{EnvironmentPatch, EnvironmentState, environments};

#[tokio::test]
async fn t01_installation_object() {
    worlds(async |world| {
        let reply = world.get(Who::Member, "/installations").await;
        assert_eq!(reply.status, 200);
        let list = reply.body.as_array().expect("a bare array");
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].as_object().expect("an object").len(), 14);
        assert!(!reply.text.contains("database-password"));
        assert_json_snapshot!("t01_installation_object", reply.body, { "[].domain_id" => "[id]" });
    })
    .await;
}

#[tokio::test]
async fn t01_everybody_sees_their_own() {
    worlds(async |world| {
        let domains = async |who| {
            let reply = world.get(who, "/installations").await;
            let list = reply.body.as_array().cloned().expect("a bare array");
            list.iter()
                .map(|one| one["domain"].as_str().unwrap_or("").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(domains(Who::Viewer).await, ["blog.example"]);
        assert_eq!(domains(Who::ReadOnly).await, ["blog.example"]);
        assert_eq!(domains(Who::Foreigner).await, ["foreign.example"]);
        assert_eq!(
            domains(Who::Operator).await,
            ["blog.example", "foreign.example"]
        );
        add_stranger(&world).await;
        let reply = world.api_with(&world.issue("new@example.com", &["all"], &[], None).await);
        let reply = reply
            .get("/api/v1/wordpress/installations")
            .await
            .expect("an answer");
        assert_eq!((reply.status, reply.text.as_str()), (200, "[]"));
    })
    .await;
}

async fn add_stranger(world: &crate::world::World) {
    let tx = world.test.store.begin().await.expect("a transaction");
    let new = pressroom_store::NewUser {
        email: "new@example.com".into(),
        name: "New".into(),
        password_hash: token::hex(8),
        is_operator: false,
    };
    pressroom_store::users::create(&tx, new)
        .await
        .expect("a user");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn t01_what_is_being_installed_is_not_installed() {
    worlds(async |world| {
        let tx = world.test.store.begin().await.expect("a transaction");
        let patch = EnvironmentPatch {
            state: Some(EnvironmentState::Installing),
            ..EnvironmentPatch::default()
        };
        let row = environments::update(&tx, world.own.environment.id, patch).await;
        row.expect("updated");
        tx.commit().await.expect("committed");
        assert_eq!(world.get(Who::Member, "/installations").await.text, "[]");
    })
    .await;
}

#[tokio::test]
async fn t02_status_wraps_the_same_objects() {
    worlds(async |world| {
        let list = world.get(Who::Member, "/installations").await;
        let status = world.get(Who::Member, "/status").await;
        assert_eq!(status.status, 200);
        assert_eq!(status.body.as_object().expect("an object").len(), 2);
        assert_eq!(status.body["installations"], list.body);
        assert_eq!(status.body["wp_cli_available"], true);
    })
    .await;
}

#[tokio::test]
async fn t03_what_cannot_be_found_out_is_null() {
    worlds(async |world| {
        let path = format!("/installation?id={}", world.own.environment.panel_id);
        let reply = world.get(Who::Viewer, &path).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(!reply.text.contains("database-password"));
        assert_json_snapshot!("t03_installation", reply.body, {
            ".domain_id" => "[id]", ".php_version" => "[version]",
        });
    })
    .await;
}

#[tokio::test]
async fn t03_ids() {
    worlds(async |world| {
        for id in ["wp_000000000", &world.foreign.environment.panel_id, "7"] {
            let reply = world
                .get(Who::Member, &format!("/installation?id={id}"))
                .await;
            assert_error(&reply, 404, "NOT_FOUND", "Installation not found");
        }
        let reply = world.get(Who::Member, "/installation").await;
        let text = "Installation ID is required";
        assert_error(&reply, 400, "VALIDATION_ERROR", text);
    })
    .await;
}
