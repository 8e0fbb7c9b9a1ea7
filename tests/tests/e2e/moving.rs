//! Sites that move to another domain.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::ledger::Ledger;
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_tests::fixture::{Fixture, add_owner, install_request};
use pressroom_tests::network::network;
use serde_json::{Value, json};
use std::fs;

const OLD: &str = "old.press.example";
const NEW: &str = "new.press.example";

/// What a theme or a plugin may have written of the site's address.
fn probe(site: &Site) -> Result<Value> {
    let text = site.php(
        "require 'wp-load.php'; echo json_encode(['option' => get_option('move_probe'), \
         'home' => get_option('home'), 'siteurl' => get_option('siteurl'), \
         'post' => get_post(get_option('move_post'))->post_content]);",
    )?;
    serde_json::from_str(&text).with_context(|| text)
}

/// Content that names the address in every way.
pub fn write_content(site: &Site) -> Result<()> {
    let url = &site.url;
    let home = site.root.parent().context("a home")?.display().to_string();
    site.php(&format!(
        "require 'wp-load.php'; update_option('move_probe', \
         ['a' => '{url}/a', 'deep' => serialize(['u' => '{url}']), 'json' => json_encode('{url}/j'), \
          'path' => '{home}/public_html/x', 'longer' => '{url}0/x', 'mail' => 'me@{OLD}']); \
         update_option('move_post', wp_insert_post(['post_title' => 'M', 'post_status' => 'publish', \
          'post_content' => '<a href=\"{url}/about\">x</a>']));"
    ))?;
    let upload = site.root.join("wp-content/uploads/letter.txt");
    fs::create_dir_all(upload.parent().context("uploads")?)?;
    fs::write(&upload, format!("from {url}"))?;
    site.own(&site.root.join("wp-content/uploads"))?;
    define(site, &format!("define('WP_HOME', '{url}');"))
}

/// Adds a line to `wp-config.php`.
fn define(site: &Site, line: &str) -> Result<()> {
    let path = site.root.join("wp-config.php");
    let config = fs::read_to_string(&path)?;
    fs::write(
        &path,
        config.replacen("<?php", &format!("<?php\n{line}"), 1),
    )?;
    Ok(())
}

#[tokio::test]
async fn a_moved_site_lives_at_its_new_address_alone() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let empty = Ledger::of(&fixture.server).await?;
    let old = fixture.install(OLD).await?;
    fixture.add_domain(NEW).await?;
    write_content(&old)?;
    let before = probe(&old)?;
    let files = Tree::of_directory(&old.root.join("wp-content"))?;

    let job = fixture.server.cli(&["site", "move", OLD, NEW], "").await?;
    ensure!(job.code == 0, "{job:?}");
    let new = fixture.site(&old.id).await?;
    ensure!(new.url.contains(NEW), "{}", new.url);
    ensure!(new.root.to_string_lossy().contains(NEW), "{:?}", new.root);
    new.front_page_with(&new.url).await?;
    ensure!(new.get("/wp-login.php").await?.status == 200);
    ensure!(old.get("/").await.map_or(true, |page| page.status == 404));
    ensure!(
        !old.root.parent().context("a home")?.exists(),
        "the old home is there"
    );

    let said = before.to_string();
    let homes = (
        old.root.parent().context("a home")?.display().to_string(),
        new.root.parent().context("a home")?.display().to_string(),
    );
    let escaped = |text: &str| text.replace('/', "\\/");
    // The longer host is another one.
    let kept = format!("{}0/x", old.url);
    let wanted = said
        .replace(&kept, "KEPT")
        .replace(&old.url, &new.url)
        .replace(&escaped(&old.url), &escaped(&new.url))
        .replace(&escaped(&escaped(&old.url)), &escaped(&escaped(&new.url)))
        .replace(&homes.0, &homes.1)
        .replace("KEPT", &kept);
    let mut wanted: Value = serde_json::from_str(&wanted)?;
    // The length in serialized data follows; both hosts are equally long here.
    wanted["home"] = json!(new.url);
    assert_eq!(probe(&new)?, wanted);
    let config = fs::read_to_string(new.root.join("wp-config.php"))?;
    ensure!(
        config.contains(&new.url) && !config.contains(&old.url),
        "{config}"
    );
    assert_eq!(
        files.difference(&Tree::of_directory(&new.root.join("wp-content"))?),
        Vec::<String>::new()
    );
    let snapshots = fixture.server.cli_json(&["snapshot", "list"]).await?;
    ensure!(
        snapshots[0]["state"] == "ready" && snapshots[0]["note"].to_string().contains(NEW),
        "{snapshots}"
    );
    let copies = fixture.server.data().join("archive/moves");
    ensure!(
        fs::read_dir(copies).map_or(true, |mut all| all.next().is_none()),
        "the copy of the tables is still there"
    );
    let shown = fixture.server.cli_json(&["site", "show", NEW]).await?;
    ensure!(
        shown["domain"] == NEW && shown["url"] == new.url.as_str(),
        "{shown}"
    );
    fixture.server.cli(&["doctor"], "").await?.line()?;

    // The old domain is free: somebody else's site fits into it.
    let mut request = install_request(OLD);
    request["db_name"] = json!("another");
    let started = fixture.post("/install", &request).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    let second = fixture.site(&started.string("id")?).await?;
    second.front_page_with(OLD).await?;
    new.front_page_with(&new.url).await?;
    ensure!(second.id != new.id);

    for site in [&new.id, &second.id] {
        fixture
            .server
            .cli(&["site", "remove", site, "--yes"], "")
            .await?
            .line()?;
    }
    let after = Ledger::of(&fixture.server).await?;
    assert_eq!(empty.difference(&after), Vec::<String>::new());
    for domain in [OLD, NEW] {
        fixture
            .server
            .cli(&["domain", "remove", domain], "")
            .await?
            .line()?;
    }
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}

/// A hash of every row but those that pages write by themselves.
pub fn rows(site: &Site) -> Result<String> {
    site.php(
        "require 'wp-load.php'; $all = []; foreach ($wpdb->get_col('SHOW TABLES') as $t) { \
         $where = $t === $wpdb->options ? \" WHERE option_name NOT LIKE '%transient%' AND option_name <> 'cron'\" : ''; \
         $all[$t] = md5(serialize($wpdb->get_results(\"SELECT * FROM `$t`$where ORDER BY 1\", ARRAY_A))); } \
         echo json_encode($all);",
    )
}

#[tokio::test]
async fn a_site_that_dies_at_its_new_address_comes_back_whole() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install(OLD).await?;
    fixture.add_domain(NEW).await?;
    write_content(&site)?;
    define(&site, "define('DISABLE_WP_CRON', true);")?;
    let loaded = site.root.join("wp-content/mu-plugins");
    fs::create_dir_all(&loaded)?;
    fs::write(
        loaded.join("loyal.php"),
        format!(
            "<?php if (strpos($_SERVER['HTTP_HOST'] ?? '', '{NEW}') === 0) {{ update_option('move_probe', 'gone'); undefined_function(); }}"
        ),
    )?;
    site.own(&loaded)?;
    for path in ["/", "/wp-login.php", "/wp-admin/admin-ajax.php"] {
        site.get(path).await?;
    }
    let (content, database) = (probe(&site)?, rows(&site)?);
    let files = Tree::of_directory(&site.root)?;
    let ledger = Ledger::of(&fixture.server).await?;

    let moved = fixture.server.cli(&["site", "move", OLD, NEW], "").await?;
    ensure!(moved.code == 1, "{moved:?}");
    ensure!(moved.stderr.contains("taken back"), "{moved:?}");
    ensure!(
        site.get("/").await?.status == 200,
        "the old address is dead"
    );
    assert_eq!(probe(&site)?, content);
    assert_eq!(rows(&site)?, database);
    assert_eq!(
        files.difference(&Tree::of_directory(&site.root)?),
        Vec::<String>::new()
    );
    assert_eq!(
        names_only(&ledger),
        names_only(&Ledger::of(&fixture.server).await?)
    );
    ensure!(!fixture.server.data().join("sites").join(NEW).exists());
    let shown = fixture.server.cli_json(&["site", "show", OLD]).await?;
    ensure!(
        shown["url"] == site.url.as_str() && shown["busy"].is_null(),
        "{shown}"
    );
    let jobs = fixture.settled_jobs().await?;
    ensure!(
        jobs[0]["result"]["taken_back"] == true && jobs[0]["result"]["trouble"].is_null(),
        "{}",
        jobs[0]
    );
    fixture.server.cli(&["doctor"], "").await?.line()?;
    // Nothing is left in the new domain.
    fixture
        .server
        .cli(&["domain", "remove", NEW], "")
        .await?
        .line()?;
    fixture.touched_no_site()
}

/// What there is besides files.
pub fn names_only(ledger: &Ledger) -> Vec<Vec<String>> {
    [
        "unix-user",
        "database",
        "database-user",
        "grant",
        "pool",
        "server-block",
    ]
    .map(|kind| ledger.names(kind).into_iter().map(str::to_owned).collect())
    .to_vec()
}

#[tokio::test]
async fn a_move_that_cannot_be_changes_nothing() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(OLD).await?;
    let other = fixture.install("other.press.example").await?;
    fixture.add_domain(NEW).await?;
    add_owner(&fixture.server, "else@press.example", "Elsewhere").await?;
    fixture
        .server
        .cli(
            &[
                "domain",
                "add",
                "foreign.press.example",
                "--account",
                "Elsewhere",
            ],
            "",
        )
        .await?
        .line()?;
    let before = (
        Tree::of_directory(&site.root)?,
        fixture.server.cli_json(&["domain", "list"]).await?,
    );
    for (site, domain, code) in [
        ("nosuch.press.example", NEW, 3),
        ("wp_000000000", NEW, 3),
        (OLD, "unknown.press.example", 3),
        (OLD, "not a domain", 3),
        (OLD, OLD, 2),
        (OLD, "foreign.press.example", 5),
        (OLD, "other.press.example", 5),
    ] {
        let refused = fixture
            .server
            .cli(&["site", "move", site, domain], "")
            .await?;
        ensure!(refused.code == code, "{site} {domain}: {refused:?}");
    }
    // A directory that stands where the home would be is nobody's to replace.
    let taken = fixture.server.data().join("sites").join(NEW);
    fs::create_dir(&taken)?;
    let refused = fixture.server.cli(&["site", "move", OLD, NEW], "").await?;
    ensure!(refused.code == 5, "{refused:?}");
    fs::remove_dir(&taken)?;

    ensure!(site.get("/").await?.status == 200 && other.get("/").await?.status == 200);
    let jobs = fixture.settled_jobs().await?;
    ensure!(
        jobs.iter().all(|job| job["kind"] != "site_move"),
        "{jobs:?}"
    );
    assert_eq!(
        before.0.difference(&Tree::of_directory(&site.root)?),
        Vec::<String>::new()
    );
    assert_eq!(
        before.1,
        fixture.server.cli_json(&["domain", "list"]).await?
    );
    Ok(())
}

#[tokio::test]
async fn nobody_installs_where_a_site_is_moving_to() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install(OLD).await?;
    fixture.add_domain(NEW).await?;
    let api = fixture.server.api(Some(&fixture.fresh_token().await?))?;
    let mut request = install_request(NEW);
    request["db_name"] = json!("between");
    let moving = fixture.server.cli(&["site", "move", OLD, NEW], "");
    let installing = async {
        // As soon as the job is there, and whatever it is doing then.
        loop {
            let jobs = fixture.server.cli_json(&["job", "list"]).await?;
            if jobs[0]["kind"] == "site_move" {
                break;
            }
        }
        let mut second = install_request(OLD);
        second["db_name"] = json!("behind");
        anyhow::Ok((
            api.post("/api/v1/wordpress/install", &request).await?,
            api.post("/api/v1/wordpress/install", &second).await?,
        ))
    };
    let (moved, tried) = tokio::join!(moving, installing);
    let (ahead, behind) = tried?;
    ensure!(moved?.code == 0, "the move suffered");
    ensure!(ahead.status == 409, "{}", ahead.text);
    ensure!(behind.status == 409, "{}", behind.text);
    let new = fixture.site(&site.id).await?;
    new.front_page_with(&new.url).await?;
    ensure!(fixture.installations().await?.len() == 1);
    fixture.server.cli(&["doctor"], "").await?.line()?;
    fixture.touched_no_site()
}

#[tokio::test]
async fn a_network_below_one_address_moves_whole() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let old = fixture.install(OLD).await?;
    fixture.add_domain(NEW).await?;
    network(&old, false)?;
    ensure!(
        old.get("/").await?.status == 200,
        "the network does not work"
    );
    fixture
        .server
        .cli(&["site", "move", OLD, NEW], "")
        .await?
        .line()?;
    let new = fixture.site(&old.id).await?;
    new.front_page_with(&new.url).await?;
    let host = new.url.trim_start_matches("http://").to_owned();
    let said = new.php(&format!(
        "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/'; require 'wp-load.php'; \
         echo json_encode([$wpdb->get_col(\"SELECT domain FROM $wpdb->blogs\"), \
         $wpdb->get_col(\"SELECT domain FROM $wpdb->site\"), DOMAIN_CURRENT_SITE, get_home_url(2)]);"
    ))?;
    let said: Value = serde_json::from_str(&said).with_context(|| said)?;
    assert_eq!(
        said,
        json!([[host, host], [host], host, format!("{}/second", new.url)])
    );
    Ok(())
}
