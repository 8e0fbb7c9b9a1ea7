//! WordPress itself, updated and laid down anew.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::api::Reply;
use pressroom_testkit::packages::{OLDER_WORDPRESS, WORDPRESS};
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_tests::fixture::{Fixture, install_request};
use pressroom_tests::network::network;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Installs the older WordPress into a new domain.
pub async fn older(fixture: &Fixture, domain: &str) -> Result<Site> {
    fixture.add_domain(domain).await?;
    let mut body = install_request(domain);
    body["version"] = OLDER_WORDPRESS.into();
    let started = fixture.post("/install", &body).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    fixture.site(&started.string("id")?).await
}

async fn ask(fixture: &Fixture, site: &Site, path: &str, body: Value) -> Result<Reply> {
    let token = fixture.fresh_token().await?;
    let mut body = body;
    body["id"] = site.id.clone().into();
    fixture
        .server
        .api(Some(&token))?
        .post(&format!("/api/v1/wordpress{path}"), &body)
        .await
}

/// A WordPress that dies on its front page, and nowhere else, after it has upgraded
/// the tables.
fn offer_fatal(fixture: &Fixture, version: &str) -> Result<()> {
    offer_other(fixture, version, "throw new Error('a bad day');")
}

/// A WordPress that runs this before it shows a page, after it has upgraded the tables.
pub fn offer_other(fixture: &Fixture, version: &str, first: &str) -> Result<()> {
    let packages = fixture.server.packages();
    let part = packages.join(".part");
    fs::copy(packages.join("wordpress-6.5.zip"), &part)?;
    let code = "$z = new ZipArchive; $z->open($argv[1]) === true or exit(1); \
        for ($i = 0; $i < $z->numFiles; $i++) { $n = $z->getNameIndex($i); \
          if (preg_match('~^(wordpress/)?wp-includes/version\\.php$~', $n)) { $v = $n; } \
          if (preg_match('~^(wordpress/)?wp-includes/template-loader\\.php$~', $n)) { $t = $n; } } \
        $s = preg_replace('~(wp_db_version\\s*=\\s*)\\d+~', '${1}99999', \
          str_replace($argv[2], $argv[3], $z->getFromName($v)), 1, $count); \
        $count === 1 or exit(2); \
        $z->addFromString($v, $s); \
        $z->addFromString($t, '<?php ' . $argv[4] . ' ?>' . $z->getFromName($t)); \
        $z->close() or exit(3);";
    let status = Command::new("php")
        .args(["-r", code])
        .arg(&part)
        .args([WORDPRESS, version, first])
        .status()?;
    ensure!(status.success(), "no package was made: {status}");
    fs::rename(part, packages.join("wordpress-fatal.zip"))?;
    Ok(())
}

/// What the site's tables are: versions, and the contents of those that no page view writes.
fn tables(site: &Site) -> Result<Value> {
    let text = site.php(
        "require 'wp-load.php'; global $wpdb; $sums = []; \
         foreach ($wpdb->get_col('SHOW TABLES') as $t) { \
           if (strpos($t, $wpdb->prefix) === 0 && $t !== $wpdb->options) { $sums[$t] = $wpdb->get_row(\"CHECKSUM TABLE `$t`\")->Checksum; } } \
         echo json_encode(['db_version' => get_option('db_version'), 'sums' => $sums]);",
    )?;
    serde_json::from_str(&text).with_context(|| text)
}

/// How many tables of comments are kept beside the site's own.
fn kept_comments(site: &Site) -> Result<usize> {
    let text = site.php(
        "require 'wp-load.php'; global $wpdb; \
         foreach ($wpdb->get_col('SHOW TABLES') as $t) { \
           if (strpos($t, $wpdb->prefix) !== 0 && \
               in_array('comment_karma', $wpdb->get_col(\"SHOW COLUMNS FROM `$t`\"))) { echo 'x'; } }",
    )?;
    Ok(text.len())
}

/// What must never change: contents and configuration.
fn own(site: &Site) -> Result<(Tree, String)> {
    Ok((
        Tree::of_directory(&site.root.join("wp-content"))?,
        fs::read_to_string(site.root.join("wp-config.php"))?,
    ))
}

fn is_tidy(site: &Site) -> Result<()> {
    ensure!(
        !site.root.join(".maintenance").exists(),
        "still in maintenance"
    );
    let home = site.root.parent().context("a home")?;
    let staged: Vec<_> = entries(&home.join(".pressroom/staging"))?;
    ensure!(staged.is_empty(), "left beside the site: {staged:?}");
    Ok(())
}

fn entries(directory: &Path) -> Result<Vec<String>> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    Ok(fs::read_dir(directory)?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect())
}

async fn core_is_clean(fixture: &Fixture, domain: &str) -> Result<()> {
    let found = fixture
        .server
        .cli_json(&["site", "verify", domain, "--core"])
        .await?;
    let core = &found["subjects"][0];
    ensure!(core["verdict"] == "clean", "{core}");
    Ok(())
}

// Rows: T07
// Rows: T07
#[tokio::test]
async fn wordpress_is_updated_and_a_bad_version_taken_back() -> Result<()> {
    const DOMAIN: &str = "core.press.example";
    let mut fixture = Fixture::start(Options::default()).await?;
    let site = older(&fixture, DOMAIN).await?;
    let kept = own(&site)?;
    for (body, said) in [
        (json!({ "version": "6.3" }), "older than 6.4.5"),
        (json!({ "version": "9.9.9" }), "9.9.9"),
        (
            json!({ "version": WORDPRESS, "minor_only": true }),
            "branch",
        ),
    ] {
        let refused = ask(&fixture, &site, "/core/update", body)
            .await?
            .expect(422)?;
        ensure!(refused.string("error")?.contains(said), "{}", refused.text);
    }
    let same = json!({ "old": OLDER_WORDPRESS, "new": OLDER_WORDPRESS });
    let versions =
        |reply: &Value| json!({ "old": reply["old_version"], "new": reply["new_version"] });
    let minor = ask(
        &fixture,
        &site,
        "/core/update",
        json!({ "minor_only": true }),
    )
    .await?;
    assert_eq!(versions(&minor.expect(200)?.body), same);

    let updated = ask(&fixture, &site, "/core/update", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(
        updated,
        json!({
            "success": true, "message": "WordPress updated",
            "old_version": OLDER_WORDPRESS, "new_version": WORDPRESS,
        })
    );
    let code =
        site.php("require 'wp-includes/version.php'; echo $wp_version, ' ', $wp_db_version;")?;
    let now = tables(&site)?;
    let db = now["db_version"].as_str().context("a version")?;
    assert_eq!(code, format!("{WORDPRESS} {db}"));
    site.front_page_with(DOMAIN).await?;
    core_is_clean(&fixture, DOMAIN).await?;
    ensure!(own(&site)? == kept, "contents or configuration changed");
    is_tidy(&site)?;
    let again = ask(&fixture, &site, "/core/update", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(
        versions(&again),
        json!({ "old": WORDPRESS, "new": WORDPRESS })
    );
    let shown = fixture.server.cli_json(&["site", "show", DOMAIN]).await?;
    assert_eq!(shown["core_version"], WORDPRESS);

    // Fatal for visitors, after its upgrade of the tables.
    offer_fatal(&fixture, "6.5.9")?;
    let before = (Tree::of_directory(&site.root)?, tables(&site)?);
    let refused = ask(&fixture, &site, "/core/update", json!({}))
        .await?
        .expect(502)?;
    let error = refused.string("error")?;
    ensure!(
        error.contains("6.5.9 was taken back because the front page"),
        "{error}"
    );
    assert_eq!(
        before.0.difference(&Tree::of_directory(&site.root)?),
        Vec::<String>::new()
    );
    assert_eq!(tables(&site)?, before.1);
    site.front_page_with(DOMAIN).await?;
    is_tidy(&site)?;
    // Visitors could write to the new version's tables until it was taken back.
    assert_eq!(kept_comments(&site)?, 1);
    let job = fixture.server.cli_json(&["job", "list"]).await?;
    let job = job[0]["public_id"].as_str().context("a job")?.to_owned();
    let said = fixture.server.cli(&["job", "watch", &job], "").await?;
    let told = format!("{}{}", said.stdout, said.stderr);
    ensure!(
        told.contains("is kept for 30 days in the tables"),
        "{said:?}"
    );

    // In maintenance nobody could see what it does.
    let on = fixture
        .server
        .cli(&["site", "maintenance", "on", DOMAIN], "")
        .await?;
    ensure!(on.code == 0, "{on:?}");
    ask(&fixture, &site, "/core/update", json!({}))
        .await?
        .expect(409)?;
    assert_eq!(site.get("/").await?.status, 503);
    let off = fixture
        .server
        .cli(&["site", "maintenance", "off", DOMAIN], "")
        .await?;
    ensure!(off.code == 0, "{off:?}");

    // Taking back needs no PHP: here there is none from the start.
    fixture
        .server
        .set_env("PRESSROOM_HOSTING__PHP", "/bin/false");
    fixture.server.restart().await?;
    let refused = ask(
        &fixture,
        &site,
        "/core/update",
        json!({ "version": "6.5.9" }),
    )
    .await?;
    ensure!(refused.status == 502, "{}", refused.text);
    ensure!(refused.text.contains("was taken back"), "{}", refused.text);
    assert_eq!(
        before.0.difference(&Tree::of_directory(&site.root)?),
        Vec::<String>::new()
    );
    assert_eq!(tables(&site)?, before.1);
    // It never got as far as to be open.
    assert_eq!(kept_comments(&site)?, 1);
    site.front_page_with(DOMAIN).await?;
    is_tidy(&site)
}

// Rows: T08
// Rows: T08
#[tokio::test]
async fn files_of_wordpress_are_laid_down_anew() -> Result<()> {
    const DOMAIN: &str = "anew.press.example";
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let (kept, before) = (own(&site)?, tables(&site)?);
    // The site does not even start: that is when it is wanted.
    fs::write(site.root.join("wp-includes/load.php"), "<?php broken(")?;
    fs::remove_file(site.root.join("wp-admin/credits.php"))?;
    fs::write(site.root.join("wp-admin/shell.php"), "<?php")?;
    ensure!(site.get("/").await?.status == 500);
    let done = ask(&fixture, &site, "/reinstall-core", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(
        (&done["success"], &done["version"]),
        (&json!(true), &json!(WORDPRESS))
    );
    core_is_clean(&fixture, DOMAIN).await?;
    site.front_page_with(DOMAIN).await?;
    ensure!(own(&site)? == kept, "contents or configuration changed");
    assert_eq!(tables(&site)?, before);
    is_tidy(&site)?;
    let cli = fixture
        .server
        .cli(&["site", "reinstall-core", DOMAIN], "")
        .await?;
    ensure!(cli.code == 0, "{cli:?}");
    site.front_page_with(DOMAIN).await?;
    Ok(())
}

// Rows: T07
// Rows: T07
#[tokio::test]
async fn every_site_of_a_network_is_upgraded() -> Result<()> {
    const DOMAIN: &str = "netcore.press.example";
    let fixture = Fixture::start(Options::default()).await?;
    let site = older(&fixture, DOMAIN).await?;
    network(&site, false)?;
    ensure!(
        site.get("/").await?.status == 200,
        "the network does not work"
    );
    let host = site.url.trim_start_matches("http://").to_owned();
    let versions = || {
        site.php(&format!(
            "$_SERVER['HTTP_HOST'] = '{host}'; $_SERVER['REQUEST_URI'] = '/'; require 'wp-load.php'; \
             echo $wp_version, ' ', get_blog_option(1, 'db_version') - $wp_db_version, ' ', \
             get_blog_option(2, 'db_version') - $wp_db_version;"
        ))
    };
    assert_eq!(versions()?, format!("{OLDER_WORDPRESS} 0 0"));
    let updated = ask(&fixture, &site, "/core/update", json!({}))
        .await?
        .expect(200)?
        .body;
    assert_eq!(updated["new_version"], WORDPRESS);
    assert_eq!(versions()?, format!("{WORDPRESS} 0 0"));
    site.front_page_with(&site.url).await?;
    ensure!(site.get("/second/").await?.status == 200);
    is_tidy(&site)
}
