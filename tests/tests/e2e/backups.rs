//! Backups by the panel's calls: each kind taken, restored, and put into another
//! installation's place.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{Options, api::Reply, site::Site, tree::Tree};
use pressroom_tests::fixture::Fixture;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, process::Command};

const PREFIX: &str = "/api/v1/wordpress";

/// Runs PHP code inside the booted WordPress; what it printed.
fn wordpress(site: &Site, code: &str) -> Result<String> {
    site.php(&format!(
        "require '{}/wp-load.php'; {code}",
        site.root.display()
    ))
}

/// Writes a word into a file and into the tables.
fn set(site: &Site, word: &str) -> Result<()> {
    let file = site.root.join("wp-content/word.txt");
    fs::write(&file, word)?;
    site.own(&file)?;
    wordpress(
        site,
        &format!("update_option('blogdescription', '{word}');"),
    )?;
    Ok(())
}

/// The word in the file, and the one in the tables.
fn words(site: &Site) -> Result<(String, String)> {
    Ok((
        fs::read_to_string(site.root.join("wp-content/word.txt"))?,
        wordpress(site, "echo get_option('blogdescription');")?,
    ))
}

fn both(file: &str, tables: &str) -> (String, String) {
    (file.to_owned(), tables.to_owned())
}

async fn post(fixture: &Fixture, path: &str, body: &Value) -> Result<Reply> {
    let api = fixture.server.api(Some(&fixture.fresh_token().await?))?;
    api.post(&format!("{PREFIX}{path}"), body).await
}

/// Takes a backup; the object of it in the job's result.
async fn back_up(fixture: &Fixture, site: &Site, kind: &str) -> Result<Value> {
    let body = json!({ "id": site.id, "type": kind, "note": format!("{kind} one") });
    let started = post(fixture, "/backup", &body).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    ensure!(job["type"] == "backup", "{job}");
    let backup = job["result"]["backup"].clone();
    ensure!(backup["status"] == "completed", "{job}");
    ensure!(backup["type"] == kind, "{job}");
    Ok(backup)
}

/// Restores; the job.
async fn restore(fixture: &Fixture, body: &Value) -> Result<Value> {
    let started = post(fixture, "/restore", body).await?.expect(200)?;
    fixture.finished_job(&started.string("job_id")?).await
}

fn id(backup: &Value) -> Result<&str> {
    backup["id"].as_str().context("an id")
}

/// The names of what a backup's archive holds, as any tar lists them.
async fn listed(fixture: &Fixture, backup: &Value) -> Result<Vec<String>> {
    let name = id(backup)?.trim_start_matches("bk_").to_owned();
    let target = fixture.server.scratch().join(format!("{name}.tar.zst"));
    let path = target.display().to_string();
    let export = ["snapshot", "export", &name, &path];
    fixture.server.cli(&export, "").await?.line()?;
    let listed = Command::new("tar")
        .args(["--zstd", "-tf", &path])
        .output()?;
    ensure!(listed.status.success(), "{listed:?}");
    let names = String::from_utf8(listed.stdout)?;
    Ok(names.lines().map(str::to_owned).collect())
}

// Rows: T32, T33, T34
#[tokio::test]
async fn each_kind_brings_back_what_it_holds_and_nothing_else() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("kinds.press.example").await?;
    set(&site, "first")?;
    let tables = back_up(&fixture, &site, "database").await?;
    let files = back_up(&fixture, &site, "files").await?;
    let full = back_up(&fixture, &site, "full").await?;
    let has = |names: &[String], wanted: &str| names.iter().any(|name| name == wanted);
    for (backup, database, code) in [
        (&tables, true, false),
        (&files, false, true),
        (&full, true, true),
    ] {
        let names = listed(&fixture, backup).await?;
        assert_eq!(has(&names, "database.sql"), database, "{backup}");
        assert_eq!(has(&names, "files/wp-load.php"), code, "{backup}");
        ensure!(has(&names, "manifest.json"), "{names:?}");
    }
    let archive = fixture.server.data().join("archive");
    assert_eq!(fs::metadata(&archive)?.permissions().mode() & 0o777, 0o700);
    let found = Command::new("find")
        .arg(&archive)
        .args(["-type", "f"])
        .output()?;
    let found = String::from_utf8(found.stdout)?;
    // Three archives, and what is said of each.
    assert_eq!(found.lines().count(), 6, "{found}");
    for file in found.lines() {
        assert_eq!(
            fs::metadata(file)?.permissions().mode() & 0o777,
            0o600,
            "{file}"
        );
    }

    set(&site, "second")?;
    let body = json!({ "id": site.id, "backup_id": id(&tables)? });
    let job = restore(&fixture, &body).await?;
    ensure!(job["status"] == "completed", "{job}");
    ensure!(job["type"] == "restore", "{job}");
    ensure!(
        job["result"]["installation"]["id"] == site.id.as_str(),
        "{job}"
    );
    assert_eq!(words(&site)?, both("second", "first"));
    // What was replaced is kept: the tables, and no more.
    let kept = job["result"]["safety_backup_id"].clone();
    let list = fixture.get("/backups").await?.expect(200)?.body;
    let newest = list[0].clone();
    ensure!(
        newest["id"] == kept && newest["type"] == "database",
        "{list}"
    );
    ensure!(newest["status"] == "completed", "{list}");

    let body = json!({ "id": site.id, "backup_id": id(&files)?, "safety_backup": false });
    let job = restore(&fixture, &body).await?;
    ensure!(job["status"] == "completed", "{job}");
    ensure!(job["result"]["safety_backup_id"].is_null(), "{job}");
    assert_eq!(words(&site)?, both("first", "first"));

    set(&site, "third")?;
    let body = json!({
        "id": site.id, "backup_id": id(&full)?, "type": "files", "safety_backup": false,
    });
    let job = restore(&fixture, &body).await?;
    ensure!(job["status"] == "completed", "{job}");
    assert_eq!(words(&site)?, both("first", "third"));
    let body = json!({ "id": site.id, "backup_id": id(&full)?, "safety_backup": false });
    let job = restore(&fixture, &body).await?;
    ensure!(job["status"] == "completed", "{job}");
    assert_eq!(words(&site)?, both("first", "first"));
    let body = json!({ "id": site.id, "backup_id": kept, "safety_backup": false });
    let job = restore(&fixture, &body).await?;
    ensure!(job["status"] == "completed", "{job}");
    assert_eq!(words(&site)?, both("first", "second"));
    ensure!(site.get("/").await?.status == 200, "it does not answer");
    ensure!(!site.root.join(".maintenance").exists());
    let shown = fixture
        .server
        .cli(&["snapshot", "list", "kinds.press.example"], "")
        .await?
        .line()?;
    ensure!(shown.contains("database"), "{shown}");
    fixture.server.cli(&["doctor"], "").await?.line()?;
    fixture.touched_no_site()
}

/// What the server says of the contents of the site's tables, but for what WordPress
/// writes by itself whenever it is visited.
fn checksums(site: &Site) -> Result<String> {
    wordpress(
        site,
        "$sums = array(); foreach ($wpdb->get_col('SHOW TABLES') as $table) { \
           if (!str_ends_with($table, 'options')) { $sums[] = $wpdb->get_row(\"CHECKSUM TABLE `$table`\", ARRAY_N); } } \
         echo json_encode($sums);",
    )
}

// Rows: T33, T34
#[tokio::test]
async fn another_installations_backup_takes_its_place_and_not_its_name() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let source = fixture.install("source.press.example").await?;
    let target = fixture.install("target.press.example").await?;
    set(&source, "from the source")?;
    set(&target, "from the target")?;
    let link = format!("{}/hello-world/", source.url);
    wordpress(
        &source,
        &format!(
            "update_option('elsewhere', array('address' => '{link}', 'other' => '//source.press.example.org/')); \
             update_user_meta(1, $wpdb->prefix . 'note', 'kept');"
        ),
    )?;
    let backup = back_up(&fixture, &source, "full").await?;
    let config = fs::read(target.root.join("wp-config.php"))?;
    let (theirs, sums) = (Tree::of_directory(&source.root)?, checksums(&source)?);

    let mut body = json!({ "id": target.id, "backup_id": id(&backup)? });
    let refused = post(&fixture, "/restore", &body).await?.expect(422)?;
    ensure!(
        refused.body["error"] == "The snapshot is of another site",
        "{}",
        refused.text
    );
    assert_eq!(words(&target)?, both("from the target", "from the target"));

    body["force"] = json!(true);
    let job = restore(&fixture, &body).await?;
    ensure!(job["status"] == "completed", "{job}");
    assert_eq!(words(&target)?, both("from the source", "from the source"));
    // Its own credentials, prefix and salts.
    assert_eq!(fs::read(target.root.join("wp-config.php"))?, config);
    let told: Value = serde_json::from_str(&wordpress(
        &target,
        "$other = get_option('elsewhere'); echo json_encode(array( \
            'home' => home_url(), 'address' => $other['address'], 'other' => $other['other'], \
            'prefixed' => count(array_filter($wpdb->get_col('SHOW TABLES'), fn($t) => str_starts_with($t, $wpdb->prefix))), \
            'tables' => count($wpdb->get_col('SHOW TABLES')), \
            'admin' => user_can(get_user_by('login', 'editor'), 'manage_options'), \
            'note' => get_user_meta(1, $wpdb->prefix . 'note', true)));",
    )?)?;
    ensure!(told["home"] == target.url.as_str(), "{told}");
    ensure!(
        told["address"] == format!("{}/hello-world/", target.url),
        "{told}"
    );
    ensure!(told["other"] == "//source.press.example.org/", "{told}");
    ensure!(told["prefixed"] == told["tables"], "{told}");
    ensure!(told["admin"] == true && told["note"] == "kept", "{told}");
    let page = target
        .front_page_with("Site of source.press.example")
        .await?;
    ensure!(
        !page.body.contains(&format!("{}/", source.url)),
        "it leads to the source"
    );
    ensure!(
        target.get("/hello-world/").await?.status == 200,
        "no permalinks"
    );
    // The source does not notice.
    assert_eq!(
        theirs.difference(&Tree::of_directory(&source.root)?),
        Vec::<String>::new()
    );
    assert_eq!(sums, checksums(&source)?);

    // One that dies there is put back whole.
    let fatal = source.root.join("wp-content/mu-plugins/fatal.php");
    fs::create_dir_all(fatal.parent().context("a directory")?)?;
    fs::write(&fatal, "<?php this_is_no_function();")?;
    source.own(&source.root.join("wp-content/mu-plugins"))?;
    let bad = back_up(&fixture, &source, "full").await?;
    let (before, sums) = (Tree::of_directory(&target.root)?, checksums(&target)?);
    let body = json!({ "id": target.id, "backup_id": id(&bad)?, "force": true });
    let job = restore(&fixture, &body).await?;
    ensure!(job["status"] == "failed", "{job}");
    assert_eq!(
        before.difference(&Tree::of_directory(&target.root)?),
        Vec::<String>::new()
    );
    assert_eq!(sums, checksums(&target)?);
    assert_eq!(fs::read(target.root.join("wp-config.php"))?, config);
    ensure!(target.get("/").await?.status == 200, "it is not back");
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}

// Rows: T33, T34
#[tokio::test]
async fn a_backup_from_before_a_move_comes_back_at_the_new_address() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("early.press.example").await?;
    set(&site, "early")?;
    let backup = back_up(&fixture, &site, "full").await?;
    fixture.add_domain("later.press.example").await?;
    let asked = ["site", "move", "early.press.example", "later.press.example"];
    fixture.server.cli(&asked, "").await?.line()?;
    let moved = fixture.site(&site.id).await?;
    ensure!(moved.url != site.url, "it did not move");
    set(&moved, "later")?;
    let body = json!({ "id": site.id, "backup_id": id(&backup)? });
    let job = restore(&fixture, &body).await?;
    ensure!(job["status"] == "completed", "{job}");
    assert_eq!(words(&moved)?, both("early", "early"));
    assert_eq!(wordpress(&moved, "echo home_url();")?, moved.url);
    let page = moved.front_page_with("Site of early.press.example").await?;
    ensure!(
        !page.body.contains(&format!("{}/", site.url)),
        "it leads to the old address"
    );
    Ok(())
}

// Rows: T10, T34
#[tokio::test]
async fn texts_are_replaced_after_a_backup_of_the_tables() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("words.press.example").await?;
    wordpress(
        &site,
        "wp_insert_post(array('post_title' => 'apple day', 'post_content' => 'an apple, apples', 'post_status' => 'publish')); \
         update_option('fruit', array('kind' => 'apple', 'n' => 7));",
    )?;
    let probe = || {
        wordpress(
            &site,
            "echo get_posts(array('numberposts' => 1))[0]->post_content, '|', json_encode(get_option('fruit'));",
        )
    };
    let first = "an apple, apples|{\"kind\":\"apple\",\"n\":7}";
    assert_eq!(probe()?, first);
    let mut body =
        json!({ "id": site.id, "search": "apple", "replace": "pineapple", "dry_run": true });
    let counted = post(&fixture, "/search-replace", &body)
        .await?
        .expect(200)?
        .body;
    ensure!(
        counted["dry_run"] == true && counted["backup_id"].is_null(),
        "{counted}"
    );
    assert_eq!(probe()?, first, "a dry run wrote");
    assert_eq!(fixture.get("/backups").await?.body, json!([]));

    body["dry_run"] = json!(false);
    let done = post(&fixture, "/search-replace", &body)
        .await?
        .expect(200)?
        .body;
    ensure!(
        done["success"] == true && done["dry_run"] == false,
        "{done}"
    );
    assert_eq!(done["replacements"], counted["replacements"]);
    assert_eq!(done["tables"], counted["tables"]);
    let column = |name: &str| {
        let all = done["tables"].as_array().into_iter().flatten();
        all.filter(|one| one["column"] == name)
            .filter_map(|one| one["count"].as_u64())
            .sum::<u64>()
    };
    assert_eq!(
        (
            column("post_content"),
            column("post_title"),
            column("option_value")
        ),
        (2, 1, 1)
    );
    assert_eq!(
        probe()?,
        "an pineapple, pineapples|{\"kind\":\"pineapple\",\"n\":7}"
    );
    site.front_page_with("pineapple day").await?;

    // The backup holds what was there.
    let backup = done["backup_id"].as_str().context("a backup")?;
    let list = fixture.get("/backups").await?.expect(200)?.body;
    ensure!(
        list[0]["id"] == backup && list[0]["type"] == "database",
        "{list}"
    );
    let job = restore(&fixture, &json!({ "id": site.id, "backup_id": backup })).await?;
    ensure!(job["status"] == "completed", "{job}");
    assert_eq!(probe()?, first);

    let named = post(
        &fixture,
        "/search-replace",
        &json!({ "id": site.id, "search": "apple", "replace": "pear", "tables": ["wp_nothing"] }),
    )
    .await?
    .expect(422)?;
    ensure!(
        named.body["error"] == "The site has no table `wp_nothing`",
        "{}",
        named.text
    );
    assert_eq!(probe()?, first);

    // Addresses follow where they are asked to, and the list of installations with them.
    let (old, new) = (site.url.clone(), "http://words.press.example".to_owned());
    let body = json!({ "id": site.id, "search": old, "replace": new, "include_guid": true });
    let done = post(&fixture, "/search-replace", &body)
        .await?
        .expect(200)?
        .body;
    let guids = wordpress(
        &site,
        "echo implode(' ', $wpdb->get_col(\"SELECT guid FROM $wpdb->posts\"));",
    )?;
    ensure!(!guids.contains(&old) && guids.contains(&new), "{guids}");
    let listed = fixture.installations().await?;
    ensure!(listed[0]["site_url"] == new.as_str(), "{listed:?}");

    // The way back leads to the address from before.
    let body = json!({ "id": site.id, "backup_id": done["backup_id"], "safety_backup": false });
    let job = restore(&fixture, &body).await?;
    ensure!(job["status"] == "completed", "{job}");
    ensure!(
        job["result"]["installation"]["site_url"] == old.as_str(),
        "{job}"
    );
    ensure!(site.get("/").await?.status == 200, "it does not answer");
    Ok(())
}
