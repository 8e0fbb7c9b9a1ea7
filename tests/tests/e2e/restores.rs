//! Restores that must not be: what they began is put back, and nobody else's touched.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, server::Finished, tree::Tree};
use pressroom_tests::{
    fixture::{Fixture, install_request},
    network::network,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

const DOMAIN: &str = "family.press.example";

fn into(path: &str, database: &str) -> Value {
    let mut request = install_request(DOMAIN);
    request["path"] = json!(path);
    request["db_name"] = json!(database);
    request
}

/// Takes a snapshot by the command line; its name.
async fn take(fixture: &Fixture, site: &str) -> Result<String> {
    let command = ["snapshot", "create", site];
    let said = fixture.server.cli(&command, "").await?.line()?;
    Ok(said.lines().last().context("a name")?.trim().to_owned())
}

async fn restore(fixture: &Fixture, site: &str, snapshot: &str) -> Result<Finished> {
    let command = ["snapshot", "restore", site, snapshot, "--yes"];
    fixture.server.cli(&command, "").await
}

#[tokio::test]
async fn the_site_below_is_a_site_of_its_own() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    fixture.add_domain(DOMAIN).await?;
    let mut ids = Vec::new();
    let mut snapshot = String::new();
    for (path, database) in [("public_html", "upper"), ("public_html/blog", "lower")] {
        let started = fixture
            .post("/install", &into(path, database))
            .await?
            .expect(201)?;
        fixture.finished_job(&started.string("job_id")?).await?;
        ids.push(started.string("id")?);
        if ids.len() == 1 {
            snapshot = take(&fixture, &ids[0]).await?;
        }
    }
    let (upper, lower) = (fixture.site(&ids[0]).await?, fixture.site(&ids[1]).await?);
    let letter = lower.root.join("wp-content/uploads/letter.txt");
    fs::create_dir_all(letter.parent().context("uploads")?)?;
    fs::write(&letter, "dear reader")?;
    lower.own(&lower.root.join("wp-content/uploads"))?;
    let before = Tree::of_directory(&lower.root)?;

    // Older than the site below: it stays where it is, untouched.
    restore(&fixture, &ids[0], &snapshot).await?.line()?;
    assert_eq!(
        before.difference(&Tree::of_directory(&lower.root)?),
        Vec::<String>::new()
    );
    for site in [&upper, &lower] {
        ensure!(
            site.get("/").await?.status == 200,
            "{:?} is gone",
            site.root
        );
    }

    // With it there: the upper one's snapshot does not hold it, and gives nothing back.
    let snapshot = take(&fixture, &ids[0]).await?;
    fs::write(&letter, "dear reader, later")?;
    restore(&fixture, &ids[0], &snapshot).await?.line()?;
    assert_eq!(fs::read_to_string(&letter)?, "dear reader, later");
    ensure!(lower.get("/").await?.status == 200, "it does not answer");
    fixture.server.cli(&["doctor"], "").await?.line()?;
    fixture.touched_no_site()
}

#[tokio::test]
async fn a_restored_site_that_dies_is_put_back() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("wrong.press.example").await?;
    let fatal = site.root.join("wp-content/mu-plugins/fatal.php");
    fs::create_dir_all(fatal.parent().context("a directory")?)?;
    fs::write(&fatal, "<?php this_is_no_function();")?;
    site.own(&site.root.join("wp-content/mu-plugins"))?;
    let bad = take(&fixture, "wrong.press.example").await?;
    fs::remove_file(&fatal)?;
    let first = take(&fixture, "wrong.press.example").await?;
    fs::write(site.root.join("wp-content/later.txt"), "since then")?;
    site.own(&site.root.join("wp-content/later.txt"))?;
    ensure!(site.get("/").await?.status == 200, "it does not answer");
    let before = Tree::of_directory(&site.root)?;
    let sums = checksums(&site)?;

    let told = restore(&fixture, "wrong.press.example", &bad).await?;
    ensure!(told.code != 0, "a dead site was restored: {told:?}");
    ensure!(
        told.stderr.contains("does not answer as before"),
        "{told:?}"
    );
    assert_eq!(
        before.difference(&Tree::of_directory(&site.root)?),
        Vec::<String>::new()
    );
    assert_eq!(sums, checksums(&site)?);
    ensure!(site.get("/").await?.status == 200, "it is not back");
    nothing_is_left(&site.root)?;

    // A good restore, and then one that fails at once: the good one stays.
    restore(&fixture, "wrong.press.example", &first)
        .await?
        .line()?;
    ensure!(!site.root.join("wp-content/later.txt").exists());
    let restored = Tree::of_directory(&site.root)?;
    let told = restore(&fixture, "wrong.press.example", &bad).await?;
    ensure!(told.code != 0, "{told:?}");
    assert_eq!(
        restored.difference(&Tree::of_directory(&site.root)?),
        Vec::<String>::new()
    );
    nothing_is_left(&site.root)
}

// Rows: T34
#[tokio::test]
async fn a_network_that_is_gone_takes_no_other_sites_place() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let many = fixture.install("many.press.example").await?;
    network(&many, false)?;
    // Nobody has told Pressroom: the tables do.
    let snapshot = take(&fixture, "many.press.example").await?;
    let gone = fixture.change("/delete", &json!({ "id": many.id })).await?;
    gone.expect(200)?;
    let site = fixture.install("one.press.example").await?;
    let (files, sums) = (Tree::of_directory(&site.root)?, checksums(&site)?);
    let unchanged = || -> Result<()> {
        let now = Tree::of_directory(&site.root)?;
        assert_eq!(files.difference(&now), Vec::<String>::new());
        assert_eq!(sums, checksums(&site)?);
        nothing_is_left(&site.root)
    };
    let body = json!({ "id": site.id, "backup_id": format!("bk_{snapshot}"), "force": true });
    let refused = fixture.change("/restore", &body).await?.expect(422)?;
    ensure!(refused.text.contains("network"), "{}", refused.text);
    unchanged()?;

    // A snapshot of before that was on record: its tables are looked at before they
    // take the place of any, and what is there is kept first.
    let manifest = manifest_of(&fixture.server.data().join("archive"), &snapshot)?;
    let mut said: Value = serde_json::from_slice(&fs::read(&manifest)?)?;
    ensure!(said["said"]["network"] == true, "{said}");
    let members = said["said"].as_object_mut().context("members")?;
    members.remove("network");
    fs::write(&manifest, serde_json::to_vec(&said)?)?;
    let started = fixture.change("/restore", &body).await?.expect(200)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "failed", "{job}");
    let error = job["error"].as_str().context("an error")?;
    ensure!(error.contains("network"), "{error}");
    unchanged()?;
    let backups = fixture.get(&format!("/backups?id={}", site.id)).await?;
    assert_eq!(backups.body.as_array().map(Vec::len), Some(1));
    ensure!(site.get("/").await?.status == 200, "it does not answer");
    Ok(())
}

/// The manifest of a snapshot in an archive that is a directory.
fn manifest_of(archive: &Path, snapshot: &str) -> Result<PathBuf> {
    let mut directories = vec![archive.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                directories.push(path);
            } else if name.starts_with(snapshot) && name.ends_with(".json") {
                return Ok(path);
            }
        }
    }
    anyhow::bail!("`{snapshot}` has no manifest")
}

/// What the server says of the contents of the site's tables, but for what WordPress
/// writes by itself whenever it is visited.
fn checksums(site: &pressroom_testkit::site::Site) -> Result<String> {
    site.php(
        "require getcwd() . '/wp-load.php'; global $wpdb; $sums = array(); \
         foreach ($wpdb->get_col('SHOW TABLES') as $table) { \
           if (!str_ends_with($table, 'options')) { $sums[] = $wpdb->get_row(\"CHECKSUM TABLE `$table`\", ARRAY_N); } } \
         echo json_encode($sums);",
    )
}

fn nothing_is_left(root: &Path) -> Result<()> {
    ensure!(!root.join(".maintenance").exists(), "still in maintenance");
    let staging = root.parent().context("a home")?.join(".pressroom/staging");
    let left: Vec<_> = fs::read_dir(&staging)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    ensure!(left.is_empty(), "left at the site: {left:?}");
    Ok(())
}
