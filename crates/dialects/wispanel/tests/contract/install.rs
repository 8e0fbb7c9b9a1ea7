//! T05. One test runs a real database server, because the route looks into it.

use crate::{
    fleet::TestFleet,
    world::{Who, World, assert_error, full, generous, worlds},
};
use futures_util::future::join_all;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

#[tokio::test]
async fn t05_missing_fields_are_echoed_in_their_order() {
    worlds(async |world| {
        for (body, text) in [
            (
                json!({ "domain": "blog.com", "path": "public_html" }),
                r#"Missing fields. Got: domain_name="", path="public_html", db_name="", domain="blog.com""#,
            ),
            (
                json!({ "domain_name": "blog.com", "db_name": "x", "path": " " }),
                r#"Missing fields. Got: domain_name="blog.com", path=" ", db_name="x", domain="""#,
            ),
            (
                json!({ "path": "say \"hi\"" }),
                r#"Missing fields. Got: domain_name="", path="say \"hi\"", db_name="", domain="""#,
            ),
        ] {
            let reply = world.post(Who::Member, "/install", &body).await;
            assert_error(&reply, 400, "VALIDATION_ERROR", text);
        }
    })
    .await;
}

fn with(member: &str, value: Value) -> Value {
    let mut body = json!({ "domain": "blog.example", "path": "public_html/new", "db_name": "wp" });
    body[member] = value;
    body
}

#[tokio::test]
async fn t05_values_that_cannot_be() {
    worlds(async |world| {
        for path in ["..", "public_html/../../x", "/etc", "a\\b", ".git", "tmp"] {
            let reply = world
                .post(Who::Member, "/install", &with("path", path.into()))
                .await;
            assert_eq!(reply.status, 400, "{path}: {}", reply.text);
            assert_eq!(reply.body["code"], "VALIDATION_ERROR");
        }
        for (member, value) in [
            ("admin_password", "short"),
            ("admin_email", "nobody"),
            ("admin_user", "<admin>"),
            ("table_prefix", "wp-"),
            ("locale", "../x"),
            ("db_name", "a`b"),
            ("db_password", "short"),
            ("db_host", "db.example"),
            ("version", "0.0.1"),
        ] {
            let reply = world
                .post(Who::Member, "/install", &with(member, value.into()))
                .await;
            assert_eq!(reply.status, 422, "{member}: {}", reply.text);
            assert_eq!(reply.body["code"], "VALIDATION_ERROR");
        }
        for domain in ["unknown.example", "foreign.example", "..", "blog.example'"] {
            let reply = world
                .post(Who::Member, "/install", &with("domain", domain.into()))
                .await;
            assert_error(&reply, 404, "NOT_FOUND", "Domain not found");
        }
        let mut two = with("domain_name", "other.example".into());
        two["domain"] = "blog.example".into();
        let reply = world.post(Who::Member, "/install", &two).await;
        assert_error(
            &reply,
            400,
            "VALIDATION_ERROR",
            "`domain` and `domain_name` differ",
        );
    })
    .await;
}

#[tokio::test]
async fn t05_installs_once_however_often_it_is_asked() {
    let world = World::new(TestFleet::postgres().await, generous()).await;
    pressroom_testkit::packages::directory(&world.test.dir.path().join("packages"))
        .expect("WordPress packages");
    // Where WordPress is recorded already, the database is not even asked.
    let reply = world
        .post(Who::Member, "/install", &with("path", "public_html".into()))
        .await;
    assert_error(
        &reply,
        409,
        "CONFLICT",
        "WordPress is already installed in this path",
    );
    // The database server is down.
    let reply = world
        .post(Who::Member, "/install", &with("title", "New".into()))
        .await;
    assert_eq!(reply.status, 502, "{}", reply.text);

    world.test.hosting.up().await.expect("the web stack");
    let api = world.api(Who::Member);
    let body = with("title", "New".into());
    let path = full("/install");
    let all = join_all(
        (0..100).map(|_| api.post_with(&path, &[("idempotency-key", "install-1")], &body)),
    )
    .await;
    let first = all[0].as_ref().expect("an answer");
    assert_eq!(first.status, 201, "{}", first.text);
    for reply in &all {
        assert_eq!(reply.as_ref().expect("an answer").text, first.text);
    }
    assert_json_snapshot!("t05_started", first.body, {
        ".id" => "[id]", ".job_id" => "[job]", ".progress_url" => "[url]",
    });
    let job = first.string("job_id").expect("a job");
    assert_eq!(
        first.body["progress_url"],
        full(&format!("/install/{job}/progress")).as_str()
    );
    for id in [job.as_str(), first.body["id"].as_str().expect("an id")] {
        let progress = world
            .get(Who::Member, &format!("/install/{id}/progress"))
            .await;
        assert_eq!(progress.body["id"], job.as_str());
        assert_eq!(progress.body["status"], "queued");
        assert_eq!(progress.body["type"], "install");
    }
    // It is not there yet, and its place is taken.
    let list = world.get(Who::Member, "/installations").await;
    assert_eq!(list.body.as_array().map(Vec::len), Some(1));
    let reply = world.post(Who::Member, "/install", &body).await;
    assert_eq!(reply.status, 409, "{}", reply.text);
    world.test.hosting.destroy().await.expect("nothing is left");
}
