//! Tools over a site: files held against their packages, texts replaced in tables,
//! tables exported and imported.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::plugin::PluginPackage;
use pressroom_testkit::server::Finished;
use pressroom_testkit::site::Site;
use pressroom_tests::fixture::Fixture;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const DOMAIN: &str = "tools.press.example";

/// The entry of one subject in what `site verify --json` says.
fn subject<'a>(found: &'a Value, slug: &str) -> Result<&'a Value> {
    found["subjects"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["slug"] == slug))
        .with_context(|| format!("nothing about `{slug}` in {found}"))
}

fn parsed(finished: &Finished) -> Result<Value> {
    serde_json::from_str(finished.stdout.trim()).with_context(|| format!("{finished:?}"))
}

// Rows: T36
#[tokio::test]
async fn files_are_held_against_their_packages() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let own = PluginPackage::new("homemade").files(3);
    let known = PluginPackage::new("known").files(6);
    fixture.offer(&known)?;
    site.plant_plugin(&own, "homemade")?;
    site.plant_plugin(&known, "known")?;

    let clean = fixture.server.cli_json(&["site", "verify", DOMAIN]).await?;
    let core = subject(&clean, "wordpress")?;
    ensure!(core["verdict"] == "clean", "{core}");
    ensure!(core["version"] == "6.5.5", "{core}");
    ensure!(core["intact"].as_u64() > Some(1000), "{core}");
    let plugin = subject(&clean, "known")?;
    ensure!(
        plugin["verdict"] == "clean" && plugin["intact"] == 7,
        "{plugin}"
    );
    // What no source has is never told as clean.
    let homemade = subject(&clean, "homemade")?;
    ensure!(homemade["verdict"] == "unknown", "{homemade}");
    ensure!(homemade["why"].is_string(), "{homemade}");
    let api = format!("/verify-checksums?id={}", site.id);
    let said = fixture.get(&api).await?.expect(200)?.body;
    assert_eq!(
        (&said["verified"], &said["version"], &said["plugins"]),
        (
            &json!(true),
            &json!("6.5.5"),
            &json!([
                { "slug": "hello", "verified": null, "files": [] },
                { "slug": "homemade", "verified": null, "files": [] },
                { "slug": "known", "verified": true, "files": [] },
            ])
        )
    );

    let load = site.root.join("wp-load.php");
    let mut changed = fs::read_to_string(&load)?;
    changed.push_str("\n// a line more\n");
    fs::write(&load, changed)?;
    fs::remove_file(site.root.join("wp-admin/credits.php"))?;
    fs::write(site.root.join("wp-includes/class-wp-cache.php"), "<?php")?;
    fs::write(site.plugin_directory("known").join("shell.php"), "<?php")?;
    let differs = fixture
        .server
        .cli(&["--json", "site", "verify", DOMAIN], "")
        .await?;
    ensure!(differs.code == 1, "{differs:?}");
    let found = parsed(&differs)?;
    let core = subject(&found, "wordpress")?;
    ensure!(core["verdict"] == "differs", "{core}");
    assert_eq!(core["differences"]["modified"], json!(["wp-load.php"]));
    assert_eq!(
        core["differences"]["missing"],
        json!(["wp-admin/credits.php"])
    );
    assert_eq!(
        core["differences"]["unexpected"],
        json!(["wp-includes/class-wp-cache.php"])
    );
    assert_eq!(
        subject(&found, "known")?["differences"]["unexpected"],
        json!(["shell.php"])
    );

    let said = fixture.get(&api).await?.expect(200)?.body;
    assert_eq!(
        (&said["verified"], &said["modified"], &said["missing"]),
        (
            &json!(false),
            &json!(["wp-load.php"]),
            &json!(["wp-admin/credits.php"])
        )
    );
    assert_eq!(said["plugins"][2]["files"], json!(["shell.php"]));

    // In a pipe: one line for each subject and file.
    let plain = fixture
        .server
        .cli(&["site", "verify", DOMAIN, "--core"], "")
        .await?;
    ensure!(plain.code == 1, "{plain:?}");
    ensure!(
        plain
            .stdout
            .contains("core\twordpress\t6.5.5\tmodified\twp-load.php\n"),
        "{plain:?}"
    );
    ensure!(!plain.stdout.contains("homemade"), "{plain:?}");

    // A version that no source has is unknown, also for WordPress itself.
    let version = site.root.join("wp-includes/version.php");
    let newer = fs::read_to_string(&version)?.replace("'6.5.5'", "'6.5.99'");
    fs::write(&version, newer)?;
    let unknown = fixture
        .server
        .cli_json(&["site", "verify", DOMAIN, "--core"])
        .await?;
    let core = subject(&unknown, "wordpress")?;
    ensure!(core["verdict"] == "unknown", "{core}");
    let said = fixture.get(&api).await?.expect(200)?.body;
    ensure!(said["verified"] == false, "{said}");
    let why = said["message"].as_str().unwrap_or_default();
    ensure!(why.contains("could not be verified"), "{said}");
    Ok(())
}

// Rows: T03
#[tokio::test]
async fn an_installation_is_looked_at_closely() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let photo = site.root.join("wp-content/uploads/photo.jpg");
    fs::create_dir_all(photo.parent().context("a directory")?)?;
    fs::write(&photo, vec![7; 3_000_000])?;
    fs::write(site.root.join(".maintenance"), "<?php $upgrading = time();")?;
    let api = format!("/installation?id={}", site.id);
    let found = fixture.get(&api).await?.expect(200)?.body;
    let number = |name: &str| found[name].as_u64().unwrap_or_default();
    ensure!(
        found["id"] == site.id && found["version"] == "6.5.5",
        "{found}"
    );
    let php = site.php("echo PHP_VERSION;")?;
    ensure!(found["php_version"] == php, "{found}");
    ensure!(
        number("plugins_total") == 1 && number("plugins_updates") == 0,
        "{found}"
    );
    ensure!(number("themes_total") == 3, "{found}");
    // WordPress alone takes some sixty megabytes, its empty tables less than two.
    ensure!(
        (50_000_000..300_000_000).contains(&number("disk_usage_bytes")),
        "{found}"
    );
    ensure!(
        (100_000..20_000_000).contains(&number("db_size_bytes")),
        "{found}"
    );
    ensure!(
        found["maintenance"] == true && found["ssl"] == false,
        "{found}"
    );
    ensure!(found["last_backup_at"].is_null(), "{found}");

    fs::remove_file(site.root.join(".maintenance"))?;
    fs::remove_file(&photo)?;
    let taken = fixture.server.cli(&["snapshot", "create", DOMAIN], "");
    let taken = taken.await?;
    ensure!(taken.code == 0, "{taken:?}");
    let now = fixture.get(&api).await?.expect(200)?.body;
    ensure!(now["maintenance"] == false, "{now}");
    ensure!(now["last_backup_at"].is_string(), "{now}");
    let freed = number("disk_usage_bytes") - now["disk_usage_bytes"].as_u64().unwrap_or(0);
    ensure!((2_900_000..3_200_000).contains(&freed), "{freed}: {now}");
    Ok(())
}

/// The probe option as PHP reads it.
fn probe(site: &Site) -> Result<Value> {
    let text = site.php("require 'wp-load.php'; echo json_encode(get_option('tools_probe'));")?;
    serde_json::from_str(&text).with_context(|| text)
}

#[tokio::test]
async fn an_address_is_replaced_in_serialized_values_too() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let old = site.url.clone();
    let new = format!("http://{DOMAIN}");
    site.php(&format!(
        "require 'wp-load.php'; update_option('tools_probe', \
         ['home' => '{old}/x', 'count' => 5, 'nested' => serialize(['deep' => '{old}']), \
          'thing' => (object) ['address' => '{old}']]);"
    ))?;
    let before = probe(&site)?;

    let preview = fixture
        .server
        .cli_json(&["site", "search-replace", DOMAIN, &old, &new, "--dry-run"])
        .await?;
    ensure!(preview["dry_run"] == true, "{preview}");
    ensure!(preview["replacements"].as_u64() > Some(4), "{preview}");
    assert_eq!(probe(&site)?, before, "a dry run wrote");
    ensure!(
        site.get("/").await?.body.contains(&old),
        "a dry run changed the site"
    );

    let kept = fixture
        .server
        .cli_json(&[
            "site",
            "search-replace",
            DOMAIN,
            &old,
            &new,
            "--dry-run",
            "--keep-objects",
        ])
        .await?;
    // All but the one in the object.
    assert_eq!(
        kept["replacements"].as_u64().map(|count| count + 1),
        preview["replacements"].as_u64()
    );

    let done = fixture
        .server
        .cli(&["site", "search-replace", DOMAIN, &old, &new], "")
        .await?
        .line()?;
    ensure!(done.contains("option_value: "), "{done}");
    assert_eq!(
        probe(&site)?,
        json!({
            "home": format!("{new}/x"),
            "count": 5,
            "nested": format!("a:1:{{s:4:\"deep\";s:{}:\"{new}\";}}", new.len()),
            "thing": { "address": new },
        })
    );
    let jobs = fixture.settled_jobs().await?;
    let job = &jobs[0];
    ensure!(job["kind"] == "site_search_replace", "{job}");
    ensure!(job["state"] == "completed", "{job}");
    ensure!(job["result"]["verified"] == true, "{job}");
    ensure!(job["result"]["rows"] == preview["rows"], "{job}: {preview}");
    let kept = fixture
        .server
        .cli_json(&["snapshot", "list", DOMAIN])
        .await?;
    ensure!(kept[0]["id"] == job["result"]["backup"], "{kept}: {job}");
    ensure!(kept[0]["contents"] == "database", "{kept}");

    // Where it is served has not changed: it answers there under its new name.
    let page = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?
        .get(format!("http://127.0.0.1:{}/", fixture.server.sites_port()))
        .header("host", DOMAIN)
        .send()
        .await?;
    ensure!(page.status() == 200, "{}", page.status());
    let body = page.text().await?;
    ensure!(body.contains(&format!("{new}/")), "{body}");
    ensure!(!body.contains(&old), "the old address is still there");
    let shown = fixture.server.cli_json(&["site", "show", DOMAIN]).await?;
    ensure!(shown["url"] == new.as_str(), "{shown}");

    // An identity is no address.
    let guids = site.php(
        "require 'wp-load.php'; global $wpdb; echo implode(' ', $wpdb->get_col(\"SELECT guid FROM $wpdb->posts\"));",
    )?;
    ensure!(guids.contains(&old), "{guids}");
    let nothing = fixture
        .server
        .cli(&["site", "search-replace", DOMAIN, "", "x"], "")
        .await?;
    ensure!(nothing.code == 2, "{nothing:?}");
    Ok(())
}

/// Changes the site's title behind Pressroom's back.
fn entitle(site: &Site, title: &str) -> Result<()> {
    site.php(&format!(
        "require 'wp-load.php'; update_option('blogname', '{title}');"
    ))?;
    Ok(())
}

fn title(site: &Site) -> Result<String> {
    site.php("require 'wp-load.php'; echo get_option('blogname');")
}

#[tokio::test]
async fn tables_leave_as_a_file_and_come_back() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let server = &fixture.server;
    let dump = server.scratch().join("blog.sql");
    let file = dump.to_str().context("a path of text")?.to_owned();
    entitle(&site, "Before")?;

    let report = server.cli_json(&["site", "export", DOMAIN, &file]).await?;
    ensure!(
        report["tables"].as_array().map(Vec::len) >= Some(12),
        "{report}"
    );
    assert_eq!(fs::metadata(&dump)?.permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&dump)?;
    ensure!(text.contains("Before"), "the title is not in the dump");
    let again = server.cli(&["site", "export", DOMAIN, &file], "").await?;
    ensure!(again.code == 5, "an export was overwritten: {again:?}");
    let streamed = server.cli(&["site", "export", DOMAIN, "-"], "").await?;
    ensure!(
        streamed.code == 0 && streamed.stdout == text,
        "not the same dump"
    );
    ensure!(
        streamed.stderr.contains("tables with"),
        "{}",
        streamed.stderr
    );

    entitle(&site, "After")?;
    let asked = server.cli(&["site", "import", DOMAIN, &file], "").await?;
    ensure!(
        asked.code == 2 && asked.stderr.contains("--yes"),
        "{asked:?}"
    );
    assert_eq!(title(&site)?, "After");

    // Half a dump, and one that leads visitors elsewhere.
    let half = server.scratch().join("half.sql");
    fs::write(&half, &text[..text.len() / 2])?;
    let half = half.to_str().context("a path of text")?;
    let refused = server
        .cli(&["site", "import", DOMAIN, half, "--yes"], "")
        .await?;
    ensure!(refused.code == 1, "{refused:?}");
    assert_eq!(title(&site)?, "After");
    let moved = server.scratch().join("moved.sql");
    fs::write(&moved, text.replace(&site.url, "http://elsewhere.example"))?;
    let moved = moved.to_str().context("a path of text")?;
    let back = server
        .cli(&["site", "import", DOMAIN, moved, "--yes"], "")
        .await?;
    ensure!(back.code == 1, "{back:?}");
    ensure!(back.stderr.contains("taken back"), "{}", back.stderr);
    assert_eq!(title(&site)?, "After");
    site.front_page_with("After").await?;

    server
        .cli(&["site", "import", DOMAIN, &file, "--yes"], "")
        .await?
        .line()?;
    assert_eq!(title(&site)?, "Before");
    site.front_page_with("Before").await?;
    // Nothing of the tables from before is left behind.
    let tables = site
        .php("require 'wp-load.php'; global $wpdb; echo count($wpdb->get_col('SHOW TABLES'));")?;
    assert_eq!(
        Some(tables.parse::<usize>()?),
        report["tables"].as_array().map(Vec::len)
    );
    Ok(())
}
