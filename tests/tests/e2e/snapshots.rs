//! Snapshots of real sites: taken, read back, restored, let go.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::ledger::Ledger;
use pressroom_testkit::plugin::PluginPackage;
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_tests::fixture::Fixture;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Takes a snapshot by the command line; its name.
async fn take(fixture: &Fixture, site: &str, more: &[&str]) -> Result<String> {
    let command = [&["snapshot", "create", site], more].concat();
    let said = fixture.server.cli(&command, "").await?.line()?;
    Ok(said.lines().last().context("a name")?.trim().to_owned())
}

#[tokio::test]
async fn a_ruined_site_comes_back_whole() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("back.press.example").await?;
    let plugin = PluginPackage::new("keeper").files(5);
    site.plant_plugin(&plugin, "keeper")?;
    let upload = site.root.join("wp-content/uploads/letter.txt");
    fs::create_dir_all(upload.parent().context("uploads")?)?;
    fs::write(&upload, "dear reader")?;
    site.own(&site.root.join("wp-content/uploads"))?;
    wordpress(
        &site,
        "update_option('blogdescription', 'as it was'); wp_insert_post(array('post_title' => 'First', 'post_status' => 'publish'));",
    )?;
    let before = Tree::of_directory(&site.root)?;
    let name = take(&fixture, "back.press.example", &[]).await?;

    // Everything is ruined: files gone, code fatal, tables changed.
    fs::remove_file(&upload)?;
    fs::remove_dir_all(site.plugin_directory("keeper"))?;
    wordpress(
        &site,
        "update_option('blogdescription', 'ruined'); wp_delete_post(get_page_by_title('First', OBJECT, 'post')->ID, true); $wpdb->query('CREATE TABLE ' . $wpdb->prefix . 'junk (id INT)');",
    )?;
    fs::write(site.root.join("wp-includes/version.php"), "<?php oops(")?;
    ensure!(site.get("/").await?.status == 500, "it is not ruined");

    let asked = fixture
        .server
        .cli(&["snapshot", "restore", "back.press.example", &name], "")
        .await?;
    ensure!(asked.code == 2, "{asked:?}");
    fixture
        .server
        .cli(
            &["snapshot", "restore", "back.press.example", &name, "--yes"],
            "",
        )
        .await?
        .line()?;
    assert_eq!(
        before.difference(&Tree::of_directory(&site.root)?),
        Vec::<String>::new()
    );
    ensure!(site.get("/").await?.status == 200, "it does not answer");
    let said = wordpress(
        &site,
        "echo get_option('blogdescription'), '|', count(get_posts(array('title' => 'First', 'post_status' => 'publish'))), '|', count($wpdb->get_col(\"SHOW TABLES LIKE '%junk'\"));",
    )?;
    assert_eq!(said, "as it was|1|0");
    ensure!(
        !site.root.join(".maintenance").exists(),
        "it is still in maintenance"
    );
    // The ruin was kept as well, and nothing lies about at the site.
    let list = fixture.server.cli_json(&["snapshot", "list"]).await?;
    let list = list.as_array().context("a list")?;
    assert_eq!(list.len(), 2);
    ensure!(
        list.iter()
            .all(|one| one["state"] == "ready" && !one["verified_at"].is_null()),
        "{list:?}"
    );
    let staging = site
        .root
        .parent()
        .context("a home")?
        .join(".pressroom/staging");
    let left: Vec<_> = fs::read_dir(&staging)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    ensure!(left.is_empty(), "left at the site: {left:?}");
    fixture.server.cli(&["doctor"], "").await?.line()?;
    fixture.touched_no_site()
}

#[tokio::test]
async fn a_snapshot_is_readable_by_anybody_and_damage_is_told() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("open.press.example").await?;
    for (more, file, list) in [
        (&[][..], "site.tar.zst", &["tar", "--zstd", "-tf"][..]),
        (&["--zip"][..], "site.zip", &["unzip", "-Z1"][..]),
    ] {
        let name = take(&fixture, "open.press.example", more).await?;
        let target = fixture.server.scratch().join(file);
        let path = target.display().to_string();
        fixture
            .server
            .cli(&["snapshot", "export", &name, &path], "")
            .await?
            .line()?;
        let listed = Command::new(list[0])
            .args(&list[1..])
            .arg(&target)
            .output()?;
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        for wanted in ["database.sql", "files/wp-load.php", "manifest.json"] {
            ensure!(
                names.lines().any(|line| line == wanted),
                "no {wanted} in {file}"
            );
        }
        fixture
            .server
            .cli(&["snapshot", "verify", &name], "")
            .await?
            .line()?;
        let again = fixture
            .server
            .cli(&["snapshot", "export", &name, &path], "")
            .await?;
        ensure!(again.code != 0, "a file was written over");

        // One byte in the middle.
        let object = object_of(&fixture.server.data().join("archive"), &name)?;
        let mut bytes = fs::read(&object)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        fs::write(&object, bytes)?;
        let told = fixture
            .server
            .cli(&["snapshot", "verify", &name], "")
            .await?;
        ensure!(
            told.code == 1 && told.stderr.contains("damaged"),
            "{told:?}"
        );
        let before = Tree::of_directory(&site.root)?;
        let refused = fixture
            .server
            .cli(
                &[
                    "snapshot",
                    "restore",
                    "open.press.example",
                    &name,
                    "--yes",
                    "--forget-present",
                ],
                "",
            )
            .await?;
        ensure!(refused.code != 0, "a damaged snapshot was restored");
        assert_eq!(
            before.difference(&Tree::of_directory(&site.root)?),
            Vec::<String>::new()
        );
        ensure!(site.get("/").await?.status == 200, "the site suffers");
        fixture
            .server
            .cli(&["snapshot", "remove", &name, "--yes"], "")
            .await?
            .line()?;
        ensure!(!object.exists(), "it is still in the archive");
    }
    let ledger = Ledger::of(&fixture.server).await?;
    assert_eq!(ledger.names("database").len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_link_gives_a_snapshot_to_whoever_has_it() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    fixture.install("gift.press.example").await?;
    let name = take(&fixture, "gift.press.example", &[]).await?;
    let list = fixture.server.cli_json(&["snapshot", "list"]).await?;
    let recorded = list[0]["sha256"].as_str().context("a hash")?.to_owned();
    let make = async |more: &[&str]| {
        let command = [&["snapshot", "link", "gift.press.example", &name], more].concat();
        fixture.server.cli(&command, "").await?.line()
    };
    let link = make(&[]).await?;
    let begin = format!("{}/download/snapshots/", fixture.server.url());
    ensure!(link.starts_with(&begin), "it leads elsewhere: {link}");
    let target = fixture.server.scratch().join("gift.tar.zst");
    let path = target.display().to_string();
    curl(&["--fail", "--output", &path, &link])?;
    assert_eq!(sha256(&target)?, recorded);
    let listed = Command::new("tar")
        .args(["--zstd", "-tf", &path])
        .output()?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    for wanted in ["database.sql", "files/wp-load.php", "manifest.json"] {
        ensure!(names.lines().any(|line| line == wanted), "no {wanted}");
    }

    // Once: looking costs nothing, the second download gets nothing.
    let once = make(&["--once", "--for", "10m"]).await?;
    let head = curl(&["--fail", "--head", &once])?;
    ensure!(head.contains("gift.press.example-"), "no file name: {head}");
    fs::remove_file(&target)?;
    curl(&["--fail", "--output", &path, &once])?;
    assert_eq!(sha256(&target)?, recorded);
    let again = curl(&["--output", "-", "--write-out", "%{http_code}", &once])?;
    ensure!(again.ends_with("404"), "used twice: {again}");
    let refused = fixture
        .server
        .cli(
            &[
                "snapshot",
                "link",
                "gift.press.example",
                &name,
                "--for",
                "8d",
            ],
            "",
        )
        .await?;
    ensure!(refused.code == 2, "{refused:?}");

    // One byte in the middle: curl is told that it has not got the whole.
    let object = object_of(&fixture.server.data().join("archive"), &name)?;
    let mut bytes = fs::read(&object)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&object, bytes)?;
    let broken = Command::new("curl")
        .args(["--silent", "--output", &path, &link])
        .status()?;
    ensure!(broken.code() == Some(18), "curl says {broken}");
    ensure!(fs::metadata(&target)?.len() < fs::metadata(&object)?.len());
    let list = fixture.server.cli_json(&["snapshot", "list"]).await?;
    ensure!(list[0]["verified_at"].is_null(), "it counts as verified");

    fixture
        .server
        .cli(&["snapshot", "remove", &name, "--yes"], "")
        .await?
        .line()?;
    let gone = curl(&["--output", "-", "--write-out", "%{http_code}", &link])?;
    ensure!(gone.ends_with("404"), "it is still given: {gone}");
    let log = fixture.server.log();
    for link in [&link, &once] {
        let secret = link.trim_start_matches(&begin);
        for half in secret.split('.') {
            ensure!(!log.contains(half), "a link stands in the log");
        }
    }
    ensure!(
        log.contains("GET /download/snapshots/… answered"),
        "the log does not tell of downloads"
    );
    Ok(())
}

/// What curl printed; it must end well.
fn curl(arguments: &[&str]) -> Result<String> {
    let done = Command::new("curl")
        .args(["--silent", "--show-error"])
        .args(arguments)
        .output()?;
    ensure!(done.status.success(), "curl: {done:?}");
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The hash of a file, as anybody would compute it.
fn sha256(path: &Path) -> Result<String> {
    let done = Command::new("sha256sum").arg(path).output()?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    Ok(text.split_whitespace().next().context("a hash")?.to_owned())
}

/// The archive's file of a snapshot.
fn object_of(directory: &Path, name: &str) -> Result<std::path::PathBuf> {
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory)?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_none_or(|end| end != "json")
                && path
                    .file_name()
                    .and_then(|file| file.to_str())
                    .is_some_and(|file| file.starts_with(name))
            {
                return Ok(path);
            }
        }
    }
    anyhow::bail!("no object of `{name}`")
}

/// Runs PHP code inside the booted WordPress; what it printed.
fn wordpress(site: &Site, code: &str) -> Result<String> {
    site.php(&format!(
        "require '{}/wp-load.php'; {code}",
        site.root.display()
    ))
}
