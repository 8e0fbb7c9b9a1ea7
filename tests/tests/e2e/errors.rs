//! What is refused, and that nothing half-done stays behind.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::api::Reply;
use pressroom_testkit::ledger::Ledger;
use pressroom_testkit::{Options, Scratch, eventually};
use pressroom_tests::fixture::{Fixture, add_owner, add_token, install_request};
use reqwest::Method;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::symlink, time::Duration};

const INSTALL: &str = "/api/v1/wordpress/install";

/// The five members that every error has.
fn is_error(reply: &Reply, status: u16, code: &str) -> Result<()> {
    ensure!(
        reply.status == status,
        "expected {status}, got {}: {}",
        reply.status,
        reply.text
    );
    let body = reply.body.as_object();
    ensure!(
        body.is_some_and(|body| body.len() == 5)
            && reply.body["success"] == false
            && reply.body["code"] == code
            && reply.body["status"] == status
            && reply.body["error"].is_string()
            && reply.body["error"] == reply.body["message"],
        "not an error of the contract: {}",
        reply.text
    );
    Ok(())
}

fn with(domain: &str, member: &str, value: Value) -> Value {
    let mut body = install_request(domain);
    body[member] = value;
    body
}

// Rows: T05
#[tokio::test]
async fn bad_requests_are_told_and_leave_nothing() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let domain = "strict.press.example";
    fixture.add_domain(domain).await?;
    let before = Ledger::of(&fixture.server).await?;

    let missing = fixture.post("/install", &json!({"domain": domain})).await?;
    is_error(&missing, 400, "VALIDATION_ERROR")?;
    assert_eq!(
        missing.body["error"],
        format!(
            "Missing fields. Got: domain_name=\"\", path=\"\", db_name=\"\", domain=\"{domain}\""
        )
    );

    for (member, value, status) in [
        ("path", json!("../elsewhere"), 400),
        ("path", json!("/etc"), 400),
        ("path", json!("public_html/../../x"), 400),
        ("path", json!(7), 400),
        ("domain", json!({"a": 1}), 400),
        ("db_name", json!(["x"]), 400),
        ("admin_password", json!("short"), 422),
        ("admin_email", json!("nobody"), 422),
        ("admin_user", json!("a<b"), 422),
        ("admin_user", json!("a\u{0}b"), 400),
        ("version", json!("9.9.9"), 422),
        ("table_prefix", json!("wp-1;"), 422),
        ("domain", json!("unknown.example"), 404),
    ] {
        let reply = fixture
            .post("/install", &with(domain, member, value.clone()))
            .await?;
        let code = if status == 404 {
            "NOT_FOUND"
        } else {
            "VALIDATION_ERROR"
        };
        is_error(&reply, status, code)
            .map_err(|error| error.context(format!("{member} = {value}")))?;
    }

    let api = fixture.server.api(Some(&fixture.fresh_token().await?))?;
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let huge = format!("{{\"domain\":\"{}\"}}", "x".repeat(3_000_000));
    for (name, body) in [
        ("cut off", "{\"domain\":".to_owned()),
        ("deep", deep),
        ("huge", huge),
        ("not UTF-8 words", "\u{0}\u{1}".to_owned()),
        ("an array", "[1,2]".to_owned()),
    ] {
        let reply = api
            .send(Method::POST, INSTALL, &[], Some(body))
            .await
            .with_context(|| format!("the body that is {name}"))?;
        ensure!(
            (400..500).contains(&reply.status) && reply.body["success"] == false,
            "{name}: {} {}",
            reply.status,
            reply.text.chars().take(300).collect::<String>()
        );
    }
    assert_eq!(
        before.difference(&Ledger::of(&fixture.server).await?),
        Vec::<String>::new()
    );
    Ok(())
}

#[tokio::test]
async fn nobody_sees_another_accounts_site() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("mine.press.example").await?;
    add_owner(&fixture.server, "other@press.example", "Other Press").await?;
    let other = add_token(&fixture.server, "other@press.example").await?;
    let api = fixture.server.api(Some(&other))?;

    let list = api
        .get("/api/v1/wordpress/installations")
        .await?
        .expect(200)?;
    assert_eq!(list.body, json!([]));
    let unknown = json!({"id": "wp_000000000", "plugin": "x"});
    let foreign = json!({"id": site.id, "plugin": "x"});
    for path in [
        "/api/v1/wordpress/auto-login",
        "/api/v1/wordpress/plugins/update",
    ] {
        let first = api.post(path, &unknown).await?;
        let second = api.post(path, &foreign).await?;
        is_error(&first, 404, "NOT_FOUND")?;
        assert_eq!(
            first.text, second.text,
            "a foreign id answers like an unknown one"
        );
    }
    let reply = api
        .post(INSTALL, &install_request("mine.press.example"))
        .await?;
    is_error(&reply, 404, "NOT_FOUND")?;

    for token in [
        None,
        Some("wsp_nothing"),
        Some("wsp_000000000000000000000000000000000000000000000000"),
    ] {
        let reply = fixture
            .server
            .api(token)?
            .get("/api/v1/wordpress/installations")
            .await?;
        is_error(&reply, 401, "UNAUTHORIZED")?;
    }
    fixture.touched_no_site()
}

// Rows: T02, T13, T17, T36
#[tokio::test]
async fn a_machine_without_php_is_told_and_reads_go_on() -> Result<()> {
    let scratch = Scratch::new()?;
    let php = scratch.path().join("php");
    symlink("/usr/bin/php", &php)?;
    let options = Options {
        env: vec![("PRESSROOM_HOSTING__PHP".into(), php.display().to_string())],
        ..Options::default()
    };
    let fixture = Fixture::start(options).await?;
    let site = fixture.install("still.press.example").await?;
    let status = fixture.get("/status").await?.expect(200)?.body;
    ensure!(status["wp_cli_available"] == true, "{status}");
    fs::remove_file(&php)?;

    let status = eventually("no PHP", Duration::from_secs(20), || async {
        let status = fixture.get("/status").await?.expect(200)?.body;
        ensure!(status["wp_cli_available"] == false, "{status}");
        Ok(status)
    })
    .await?;
    ensure!(
        status["installations"][0]["id"] == site.id.as_str(),
        "{status}"
    );
    for path in ["/auto-login", "/plugins/activate"] {
        let body = json!({ "id": site.id, "plugin": "hello" });
        let reply = fixture.change(path, &body).await?;
        is_error(&reply, 503, "WP_CLI_UNAVAILABLE").context(path)?;
    }
    // What needs no PHP of ours.
    let files = fixture
        .get(&format!("/verify-checksums?id={}", site.id))
        .await?
        .expect(200)?;
    ensure!(files.body["verified"] == true, "{}", files.text);
    ensure!(site.get("/").await?.status == 200, "it is not served");

    symlink("/usr/bin/php", &php)?;
    let body = json!({ "id": site.id });
    fixture.change("/auto-login", &body).await?.expect(200)?;
    Ok(())
}
