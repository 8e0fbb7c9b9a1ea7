//! Snapshots over the WPOrchestrix API, of a real site: taken, downloaded, sent again, and
//! restored from what was sent.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, eventually, site::Site};
use pressroom_tests::{
    client::Client,
    fixture::{Fixture, JOB_TIME},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

const DOMAIN: &str = "sent.press.example";

/// The snapshot once it is available.
async fn available(client: &Client, path: &str) -> Result<Value> {
    eventually("the snapshot is available", JOB_TIME, || async {
        let snapshot = client.get(path).await?;
        ensure!(snapshot["status"] != "failed", "{snapshot}");
        ensure!(snapshot["status"] == "available", "{snapshot}");
        Ok(snapshot)
    })
    .await
}

fn wordpress(site: &Site, code: &str) -> Result<String> {
    site.php(&format!(
        "require '{}/wp-load.php'; {code}",
        site.root.display()
    ))
}

/// Runs curl, which must end well; what it printed.
fn curl(arguments: &[&str]) -> Result<String> {
    let done = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "120"])
        .args(arguments)
        .output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "curl: {said}");
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn sha256(file: &Path) -> Result<String> {
    let done = Command::new("sha256sum").arg(file).output()?;
    let text = String::from_utf8(done.stdout)?;
    Ok(text.split(' ').next().context("a hash")?.to_owned())
}

// Rows: W07, W13, W14, W15, W16, W17
#[tokio::test]
async fn what_was_downloaded_and_sent_again_brings_the_site_back() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install(DOMAIN).await?;
    let letter = site.root.join("wp-content/uploads/letter.txt");
    fs::create_dir_all(letter.parent().context("uploads")?)?;
    fs::write(&letter, "dear reader")?;
    site.own(&site.root.join("wp-content/uploads"))?;
    wordpress(
        &site,
        "wp_insert_post(array('post_title' => 'First', 'post_status' => 'publish'));",
    )?;

    let client = Client::of(&fixture.server).await?;
    let sites = client.get("/sites").await?;
    let id = sites[0]["id"].as_str().context("a site")?.to_owned();
    let place = format!("/sites/{id}/snapshots");
    let asked = json!({ "kind": "full", "label": "before redesign" });
    let made = client.send(Method::POST, &place, Some(&asked)).await?;
    let made = made.expect(201)?;
    ensure!(made.body["status"] == "creating", "{}", made.text);
    let list = client.get(&place).await?;
    ensure!(list[0]["id"] == made.body["id"], "{list}");
    let again = client.send(Method::POST, &place, Some(&asked)).await?;
    ensure!(again.status == 422, "{}", again.text);
    let here = format!("{place}/{}", made.string("id")?);
    let snapshot = available(&client, &here).await?;
    ensure!(snapshot["wp_version"] == "6.5.5", "{snapshot}");
    ensure!(snapshot["contents"]["database"] == true, "{snapshot}");
    let seen = client.get(&format!("/sites/{id}")).await?;
    ensure!(seen["last_snapshot_at"] == snapshot["created_at"], "{seen}");

    // By its link, without a credential.
    let url = snapshot["download_url"].as_str().context("a link")?;
    let path = &url[url.find("/download/").context("a path")?..];
    let file = fixture.server.scratch().join("site.tar.zst");
    let target = file.display().to_string();
    curl(&[
        "--fail",
        "--output",
        &target,
        &format!("{}{path}", client.base),
    ])?;
    ensure!(snapshot["sha256"] == sha256(&file)?, "other bytes");
    ensure!(snapshot["size_bytes"] == fs::metadata(&file)?.len());

    // Sent again, by a program that knows nothing of ours, and without a word on its kind.
    let asked = json!({ "mode": "upload", "label": "from elsewhere" });
    let waits = client.send(Method::POST, &place, Some(&asked)).await?;
    let waits = waits.expect(201)?;
    let there = format!("{place}/{}", waits.string("id")?);
    let auth = format!("Authorization: {}", client.auth);
    let checksum = format!("X-Checksum-SHA256: {}", sha256(&file)?);
    let to = format!("{}/api/v1{there}/upload", client.base);
    let said = curl(&[
        "--upload-file",
        &target,
        "--header",
        &auth,
        "--header",
        &checksum,
        "--header",
        "Content-Type: application/octet-stream",
        &to,
    ])?;
    let sent: Value = serde_json::from_str(&said).with_context(|| said.clone())?;
    ensure!(sent["status"] == "available", "{sent}");
    ensure!(sent["sha256"] == snapshot["sha256"], "{sent}");
    ensure!(sent["kind"] == "full", "{sent}");
    let paths = sent["contents"]["paths"].to_string();
    ensure!(paths.contains("wp-content"), "{sent}");

    // The first one is not needed for what follows.
    let gone = client.send(Method::DELETE, &here, None).await?;
    ensure!(gone.status == 204, "{}", gone.text);
    let gone = client.send(Method::GET, &here, None).await?;
    ensure!(gone.status == 404, "{}", gone.text);

    fs::remove_file(&letter)?;
    wordpress(
        &site,
        "wp_delete_post(get_posts(array('title' => 'First', 'post_status' => 'publish'))[0]->ID, true);",
    )?;
    let config = fs::read(site.root.join("wp-config.php"))?;
    let name = waits.string("id")?;
    fixture
        .server
        .cli(&["snapshot", "verify", &name], "")
        .await?
        .line()?;
    fixture
        .server
        .cli(&["snapshot", "restore", DOMAIN, &name, "--yes"], "")
        .await?
        .line()?;
    assert_eq!(fs::read_to_string(&letter)?, "dear reader");
    assert_eq!(fs::read(site.root.join("wp-config.php"))?, config);
    let said = wordpress(
        &site,
        "echo count(get_posts(array('title' => 'First', 'post_status' => 'publish'))), '|', get_option('home');",
    )?;
    ensure!(said.starts_with("1|http"), "{said}");
    ensure!(site.get("/").await?.status == 200, "it does not answer");

    // What is no snapshot is kept, and not restored from.
    let other = fixture.server.scratch().join("other.tar.gz");
    let packed = Command::new("tar")
        .args(["--create", "--gzip", "--file"])
        .arg(&other)
        .arg("--directory")
        .arg(&site.root)
        .arg("wp-content/uploads")
        .status()?;
    ensure!(packed.success());
    let words = ["snapshot", "upload", DOMAIN, &other.display().to_string()].map(str::to_owned);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let name = fixture.server.cli(&words, "").await?.line()?;
    let name = name.lines().last().context("a name")?.trim().to_owned();
    let refused = fixture
        .server
        .cli(&["snapshot", "restore", DOMAIN, &name, "--yes"], "")
        .await?;
    ensure!(refused.code != 0, "{refused:?}");
    ensure!(refused.stderr.contains("manifest.json"), "{refused:?}");
    fixture.server.cli(&["doctor"], "").await?.line()?;
    fixture.touched_no_site()
}
