//! Installations deleted by the panel's call: only what was made for them goes, and
//! what was kept first comes back.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, api::Reply, ledger::Ledger, site::Site};
use pressroom_tests::fixture::Fixture;
use reqwest::Method;
use serde_json::{Value, json};
use std::{fs, process::Command};

async fn delete(fixture: &Fixture, body: &Value) -> Result<Reply> {
    let api = fixture.server.api(Some(&fixture.fresh_token().await?))?;
    api.send(
        Method::DELETE,
        "/api/v1/wordpress/delete",
        &[],
        Some(body.to_string()),
    )
    .await
}

fn description(site: &Site) -> Result<String> {
    site.php("require 'wp-load.php'; echo get_option('blogdescription');")
}

// Rows: T11
#[tokio::test]
async fn a_deleted_installation_leaves_a_backup_and_what_is_not_its_own() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let before = Ledger::of(&fixture.server).await?;
    let site = fixture.install("gone.press.example").await?;
    let other = fixture.install("stays.press.example").await?;
    site.php("require 'wp-load.php'; update_option('blogdescription', 'what was');")?;
    let letter = site.root.join("letter.txt");
    fs::write(&letter, "mine")?;
    site.own(&letter)?;

    // Not while somebody works on it.
    let body = json!({ "id": site.id, "backup": true });
    let started = fixture.post("/backup", &json!({ "id": site.id })).await?;
    let job = started.expect(201)?.string("job_id")?;
    let refused = delete(&fixture, &body).await?.expect(409)?;
    assert_eq!(refused.body["code"], "CONFLICT");
    fixture.finished_job(&job).await?;

    let done = delete(&fixture, &body).await?.expect(200)?;
    assert_eq!(done.body["success"], true);
    assert_eq!(done.body["message"], "WordPress installation deleted");
    let again = delete(&fixture, &body).await?.expect(404)?;
    assert_eq!(again.body["error"], "Installation not found");
    assert_eq!(fs::read_to_string(&letter)?, "mine");
    let left: Vec<_> = fs::read_dir(&site.root)?
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left, ["letter.txt"]);
    let ledger = Ledger::of(&fixture.server).await?;
    assert_eq!(ledger.names("database").len(), 1);
    assert_eq!(ledger.names("database-user").len(), 1);
    ensure!(site.get("/").await?.status != 200, "it is still served");
    ensure!(other.get("/").await?.status == 200, "its neighbour is gone");

    // The backup outlives it: listed, downloaded, and good for another installation.
    let backup = done.body["backup"].clone();
    ensure!(
        backup["status"] == "completed" && backup["type"] == "full",
        "{backup}"
    );
    let list = fixture.get("/backups").await?.expect(200)?.body;
    assert_eq!(list[0], backup);
    assert_eq!(list[0]["installation_id"], site.id);
    assert_eq!(list[0]["domain"], "gone.press.example");
    let target = fixture.server.scratch().join("gone.tar.zst");
    let url = done.string("download_url")?;
    let got = Command::new("curl")
        .args(["--silent", "--fail", "--output"])
        .arg(&target)
        .arg(&url)
        .status()?;
    ensure!(got.success(), "not downloaded: {got}");
    let sum = Command::new("sha256sum").arg(&target).output()?;
    let sum = String::from_utf8(sum.stdout)?;
    ensure!(
        sum.starts_with(backup["sha256"].as_str().context("a hash")?),
        "{sum}"
    );
    let body = json!({
        "id": other.id, "backup_id": backup["id"], "force": true, "safety_backup": false,
    });
    let started = fixture.post("/restore", &body).await?.expect(200)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    assert_eq!(description(&other)?, "what was");
    ensure!(other.get("/").await?.status == 200, "it does not answer");

    fs::remove_file(&letter)?;
    delete(&fixture, &json!({ "id": other.id }))
        .await?
        .expect(200)?;
    let after = Ledger::of(&fixture.server).await?;
    // The first one's owner stays with the directory of its letter.
    let left = before.difference(&after);
    ensure!(
        left.iter().all(|line| !line.contains("database")),
        "{left:?}"
    );
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}

// Rows: T11
#[tokio::test]
async fn files_or_tables_stay_where_that_is_asked() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let files = fixture.install("files.press.example").await?;
    let tables = fixture.install("tables.press.example").await?;
    let body = json!({ "id": files.id, "delete_files": false });
    let done = delete(&fixture, &body).await?.expect(200)?;
    ensure!(done.body.get("backup").is_none(), "{}", done.text);
    ensure!(files.root.join("wp-load.php").exists(), "the files went");
    let ledger = Ledger::of(&fixture.server).await?;
    assert_eq!(ledger.names("database").len(), 1);
    let path = format!("/api/v1/wordpress/delete?id={}", tables.id);
    let api = fixture.server.api(Some(&fixture.fresh_token().await?))?;
    let body = json!({ "delete_database": false }).to_string();
    api.send(Method::POST, &path, &[], Some(body))
        .await?
        .expect(200)?;
    ensure!(!tables.root.exists(), "the directory is still there");
    let ledger = Ledger::of(&fixture.server).await?;
    assert_eq!(ledger.names("database").len(), 1);
    assert_eq!(fixture.get("/backups").await?.body, json!([]));
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}
