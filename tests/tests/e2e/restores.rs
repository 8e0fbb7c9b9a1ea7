//! Restores that must not be: what they began is put back, and nobody else's touched.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, server::Finished, tree::Tree};
use pressroom_tests::fixture::{Fixture, install_request};
use serde_json::{Value, json};
use std::{fs, path::Path};

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
