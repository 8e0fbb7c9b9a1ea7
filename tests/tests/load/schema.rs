//! Requests made up from the served OpenAPI documents, mostly about what is there: no
//! fault of the server, and no answer that the document does not have.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, Pressroom};
use pressroom_tests::{
    fixture::{ACCOUNT, EMAIL, Fixture, PASSWORD},
    killed::rounds,
};
use std::{env, path::Path, process::Stdio};
use tokio::process::Command;

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// Each is good for 60 requests a minute.
const KEYS: usize = 60;

#[tokio::test]
async fn no_request_meets_a_fault_or_an_answer_that_is_not_documented() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("fuzzed.press.example").await?;
    fixture.add_domain("empty.press.example").await?;
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        keys.push(fixture.fresh_token().await?);
    }
    run(
        &fixture.server,
        "wordpress",
        "hooks.py",
        &[
            ("PRESSROOM_KEYS", &keys.join(" ")),
            ("PRESSROOM_SITE", &site.id),
            ("PRESSROOM_DOMAIN", "empty.press.example"),
        ],
    )
    .await?;
    // Whatever was asked of it, the site is served, and nothing lies about.
    fixture.settled_jobs().await?;
    let body = serde_json::json!({ "id": site.id, "enabled": false });
    fixture.change("/maintenance", &body).await?.expect(200)?;
    ensure!(site.get("/").await?.status == 200, "it is not served");
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}

#[tokio::test]
async fn no_request_to_the_other_api_meets_one_either() -> Result<()> {
    let mut server = Pressroom::prepare(Options::default())?;
    let add = ["user", "add", EMAIL, "--name", "Owner", "--password-stdin"];
    server.cli(&add, &format!("{PASSWORD}\n")).await?.line()?;
    let account = ["account", "add", ACCOUNT, "--owner", EMAIL];
    server.cli(&account, "").await?.line()?;
    let token = ["token", "add", "--user", EMAIL, "--kind", "api"];
    // Made by hand, so that signing out, which is asked for too, does not end it.
    let token = server.cli(&token, "").await?.line()?;
    server.launch().await?;
    let add = [
        "site",
        "add",
        "https://shop.example",
        "--name",
        "Shop",
        "--account",
        ACCOUNT,
    ];
    let site = format!("site_{}", server.cli(&add, "").await?.line()?);
    let seen = [
        ("PRESSROOM_SITE", site.as_str()),
        ("PRESSROOM_TOKEN", token.as_str()),
        ("PRESSROOM_EMAIL", EMAIL),
        ("PRESSROOM_PASSWORD", PASSWORD),
    ];
    run(&server, "wporchestrix", "wporchestrix.py", &seen).await?;
    let reply = server
        .api(Some(&token))?
        .get("/api/v1/activity_logs")
        .await?;
    ensure!(reply.expect(200)?.body.is_array(), "the log is no list");
    Ok(())
}

/// Asks a server for whatever its document permits.
async fn run(server: &Pressroom, api: &str, hooks: &str, known: &[(&str, &str)]) -> Result<()> {
    let program = env::var_os("PRESSROOM_SCHEMATHESIS")
        .context("PRESSROOM_SCHEMATHESIS must name the program; `./check load` installs it")?;
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/load/schemathesis");
    let out = Command::new(program)
        .arg("--config-file")
        .arg(home.join("schemathesis.toml"))
        .arg("run")
        .arg(format!("{}/api/v1/{api}/openapi.json", server.url()))
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", &rounds(8, 100).to_string()])
        .args([
            "--request-timeout",
            "150",
            "--continue-on-failure",
            "--no-color",
        ])
        .args(["--warnings", "off"])
        .args([
            "--generation-deterministic",
            "--suppress-health-check",
            "all",
        ])
        .env("SCHEMATHESIS_HOOKS", home.join(hooks))
        .envs(known.iter().copied())
        // It keeps what it learned where it runs.
        .current_dir(server.scratch())
        .stdin(Stdio::null())
        .output()
        .await?;
    let told = String::from_utf8_lossy(&out.stdout);
    ensure!(
        out.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    eprintln!("{told}");
    Ok(())
}
