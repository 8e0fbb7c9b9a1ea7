//! From clean data to a verified update, and a bad update taken back, once on each
//! database.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::browser::Browser;
use pressroom_testkit::ledger::Ledger;
use pressroom_testkit::plugin::{Behaviour, PluginPackage};
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_testkit::{Database, Options, eventually, place, postgres};
use pressroom_tests::fixture::Fixture;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

const DOMAIN: &str = "blog.press.example";
const SLUG: &str = "sample";

/// Every member of an installation object, no more and no fewer.
const MEMBERS: &[&str] = &[
    "admin_url",
    "db_host",
    "db_name",
    "db_user",
    "debug",
    "domain",
    "domain_id",
    "id",
    "multisite",
    "path",
    "site_title",
    "site_url",
    "table_prefix",
    "version",
];

// Rows: T01, T02, T04, T05, T13, T15, T19
#[tokio::test]
async fn from_nothing_to_a_verified_update_on_sqlite() -> Result<()> {
    walk(Database::Sqlite).await
}

// Rows: T01, T02, T04, T05, T13, T15, T19
#[tokio::test]
async fn from_nothing_to_a_verified_update_on_postgresql() -> Result<()> {
    walk(Database::Postgres(postgres::database().await?)).await
}

async fn walk(database: Database) -> Result<()> {
    let mut fixture = Fixture::start(Options {
        database,
        ..Options::traced()
    })
    .await?;
    let site = install(&fixture).await?;
    stands_alone(&fixture, &site).await?;
    close_home(&site)?;
    log_in(&fixture, &site).await?;
    good_update(&fixture, &site).await?;
    bad_update(&mut fixture, &site).await?;
    fixture.touched_no_site()
}

/// T05, T04 and T01, and the site itself.
async fn install(fixture: &Fixture) -> Result<Site> {
    let nothing = fixture.get("/installations").await?.expect(200)?;
    assert_eq!(nothing.body, json!([]));
    assert_eq!(nothing.header("x-ratelimit-limit"), Some("60"));

    fixture.add_domain(DOMAIN).await?;
    let started = fixture.start_install(DOMAIN).await?.expect(201)?;
    assert_eq!(started.body["success"], true);
    assert_eq!(started.body["message"], "WordPress installation started");
    let id = started.string("id")?;
    let job_id = started.string("job_id")?;
    ensure!(
        id.strip_prefix("wp_").is_some_and(|digits| {
            digits.len() >= 9
                && digits
                    .chars()
                    .all(|digit| matches!(digit, '0'..='9' | 'a'..='f'))
        }),
        "not an installation's id: {id}"
    );
    assert_eq!(
        started.string("progress_url")?,
        format!("/api/v1/wordpress/install/{job_id}/progress")
    );

    let job = fixture.finished_job(&job_id).await?;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(job["progress"], 100);
    assert_eq!(job["type"], "install");
    assert_eq!(job["installation_id"], id.as_str());
    let steps: Vec<_> = job["steps"]
        .as_array()
        .context("steps")?
        .iter()
        .map(|step| (step["name"].as_str(), step["status"].as_str()))
        .collect();
    let expected = [
        "validate",
        "database",
        "download",
        "config",
        "core_install",
        "permissions",
        "finalize",
    ];
    assert_eq!(steps, expected.map(|name| (Some(name), Some("done"))));

    let all = fixture.installations().await?;
    assert_eq!(all.len(), 1, "{all:?}");
    let members: BTreeSet<_> = all[0]
        .as_object()
        .context("an object")?
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(members, MEMBERS.iter().copied().collect());
    assert_eq!(all[0]["version"], "6.5.5");
    assert_eq!(all[0]["domain"], DOMAIN);
    assert_eq!(all[0]["debug"], false);
    assert_eq!(all[0]["site_title"], format!("Site of {DOMAIN}"));

    let site = fixture.site(&id).await?;
    site.front_page_with(&format!("Site of {DOMAIN}")).await?;
    let post = site.get("/hello-world/").await?;
    assert_eq!(post.status, 200, "permalinks work: {}", post.body);
    let asset = site.get("/wp-includes/css/dashicons.min.css").await?;
    assert_eq!(asset.status, 200);

    // A second installation into the same place is refused.
    let again = fixture.start_install(DOMAIN).await?.expect(409)?;
    assert_eq!(again.body["code"], "CONFLICT");
    Ok(site)
}

/// Its own Unix user, its own database, its own database user.
async fn stands_alone(fixture: &Fixture, site: &Site) -> Result<()> {
    let config = fs::metadata(site.root.join("wp-config.php"))?;
    assert_eq!(config.mode() & 0o777, 0o600);
    let ledger = Ledger::of(&fixture.server).await?;
    assert_eq!(ledger.names("database").len(), 1);
    assert_eq!(ledger.names("database-user").len(), 1);
    assert_eq!(ledger.names("grant").len(), 1);
    if place::is_root() {
        assert_ne!(config.uid(), 0);
        let users = ledger.names("unix-user");
        assert_eq!(users.len(), 1, "{users:?}");
        let home = site.root.parent().context("a home")?;
        assert_eq!(fs::metadata(home)?.mode() & 0o007, 0, "closed to others");
    }
    Ok(())
}

/// From here on nobody but the site's own user may even pass its directory: whatever
/// still works needs no way in for the server.
fn close_home(site: &Site) -> Result<()> {
    let home = site.root.parent().context("a home")?;
    fs::set_permissions(home, fs::Permissions::from_mode(0o700))?;
    Ok(())
}

/// T13 in a real browser; the link works once.
async fn log_in(fixture: &Fixture, site: &Site) -> Result<()> {
    let reply = fixture
        .post("/auto-login", &json!({"id": site.id}))
        .await?
        .expect(200)?;
    assert_eq!(reply.body["success"], true);
    let link = reply.string("url")?;
    ensure!(
        link.starts_with(&site.url),
        "the link leads elsewhere: {link}"
    );

    let browser = Browser::start("login").await?;
    browser.goto(&link).await?;
    browser.wait_for("#dashboard-widgets").await?;
    let shown = browser.url().await?;
    assert_eq!(shown, format!("{}/wp-admin/", site.url));
    browser.wait_for("#wp-admin-bar-my-account").await?;
    browser.close().await?;

    let second = site.get_url(&link).await?;
    let location = second.location.clone().unwrap_or_default();
    ensure!(
        !location.contains("/wp-admin") && !second.body.contains("dashboard-widgets"),
        "the link works twice: {} {location}",
        second.status
    );
    Ok(())
}

/// T19 with a good package: version and tree, seen from outside.
async fn good_update(fixture: &Fixture, site: &Site) -> Result<()> {
    let old = PluginPackage::new(SLUG).files(40);
    let new = old.clone().version("1.1.0");
    site.plant_plugin(&old, SLUG)?;
    site.front_page_with(&old.mark()).await?;
    fixture.offer(&new)?;

    let reply = fixture.update_plugin(site, SLUG).await?.expect(200)?;
    assert_eq!(reply.body["success"], true, "{}", reply.text);
    assert_eq!(reply.body["old_version"], "1.0.0");
    assert_eq!(reply.body["new_version"], "1.1.0");
    assert_eq!(reply.body["plugin"]["slug"], SLUG);
    assert_eq!(reply.body["plugin"]["version"], "1.1.0");

    let packed = Tree::of_package(&new.zip(), SLUG)?;
    assert_eq!(
        packed.difference(&site.plugin_tree(SLUG)?),
        Vec::<String>::new()
    );
    // OPcache may serve the old file for its two seconds unless it was told.
    site.front_page_with(&new.mark()).await?;

    let again = fixture.update_plugin(site, SLUG).await?.expect(200)?;
    assert_eq!(again.body["old_version"], "1.1.0");
    assert_eq!(again.body["new_version"], "1.1.0");
    Ok(())
}

/// The next version is fatal on every page and `php` does not run: taken back.
async fn bad_update(fixture: &mut Fixture, site: &Site) -> Result<()> {
    fixture
        .server
        .set_env("PRESSROOM_HOSTING__PHP", "/bin/false");
    fixture.server.restart().await?;
    let bad = PluginPackage::new(SLUG)
        .version("1.2.0")
        .behaviour(Behaviour::FatalEverywhere)
        .files(40);
    fixture.offer(&bad)?;
    let before = site.plugin_tree(SLUG)?;

    let reply = fixture.update_plugin(site, SLUG).await?;
    ensure!(reply.status == 502, "{}: {}", reply.status, reply.text);
    assert_eq!(reply.body["success"], false);
    assert_eq!(reply.body["code"], "WP_CLI_ERROR");
    let message = reply.string("error")?;
    for part in ["1.2.0", "1.1.0", SLUG] {
        ensure!(
            message.contains(part),
            "the answer does not name {part}: {message}"
        );
    }

    let after = site.plugin_tree(SLUG)?;
    assert_eq!(before.difference(&after), Vec::<String>::new());
    assert_eq!(before.hash(), after.hash());
    site.front_page_with("<!-- sample 1.1.0 -->").await?;
    nothing_staged(site)?;

    // And the server says the same in its own record.
    let jobs = fixture.server.cli_json(&["job", "list"]).await?;
    let states = rendered_states(&jobs);
    ensure!(
        states.iter().any(|state| state == "failed"),
        "no job of the list failed: {jobs}"
    );
    Ok(())
}

fn rendered_states(jobs: &Value) -> Vec<String> {
    jobs.as_array()
        .into_iter()
        .flatten()
        .filter_map(|job| job["state"].as_str().map(str::to_owned))
        .collect()
}

/// Nothing of an update stays beside the site once it is settled.
fn nothing_staged(site: &Site) -> Result<()> {
    let home = site.root.parent().context("a home")?;
    for directory in ["staging", "journal"] {
        let left = home.join(".pressroom").join(directory);
        if left.is_dir() {
            let names: Vec<_> = fs::read_dir(&left)?
                .flatten()
                .map(|entry| entry.file_name())
                .collect();
            ensure!(names.is_empty(), "left in {}: {names:?}", left.display());
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_installation_survives_a_polite_restart() -> Result<()> {
    let mut fixture = Fixture::start(Options::traced()).await?;
    let site = fixture.install("calm.press.example").await?;
    fixture.server.stop()?;
    // The sites do not need us.
    site.front_page_with("calm.press.example").await?;
    fixture.server.launch().await?;
    eventually("the same list", Duration::from_secs(10), || async {
        let all = fixture.installations().await?;
        ensure!(
            all.len() == 1 && all[0]["id"] == site.id.as_str(),
            "{all:?}"
        );
        Ok(())
    })
    .await?;
    fixture.touched_no_site()
}
