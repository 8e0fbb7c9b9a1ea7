//! What keeps intruders from a site, asked of the site itself: pages as visitors and
//! people who are logged in get them, bytes on disk, errors that PHP writes.

mod foreign;
mod hidden;

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::api::Reply;
use pressroom_testkit::site::Site;
use pressroom_tests::fixture::{Fixture, install_request};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Asks for a measure, with a key whose minute is unused.
pub async fn set(fixture: &Fixture, site: &Site, measure: &str, body: Value) -> Result<Reply> {
    let mut body = body;
    body["id"] = site.id.clone().into();
    fixture.change(&format!("/security/{measure}"), &body).await
}

/// The same where it must succeed.
async fn done(fixture: &Fixture, site: &Site, measure: &str, body: Value) -> Result<Value> {
    let reply = set(fixture, site, measure, body).await?.expect(200)?;
    ensure!(reply.body["success"] == true, "{}", reply.text);
    Ok(reply.body)
}

/// What T35 says.
async fn seen(fixture: &Fixture, site: &Site) -> Result<Value> {
    let token = fixture.fresh_token().await?;
    let path = format!("/api/v1/wordpress/security?id={}", site.id);
    let api = fixture.server.api(Some(&token))?;
    Ok(api.get(&path).await?.expect(200)?.body)
}

/// Cookies of somebody who logged in at `page`.
async fn logged_in(site: &Site, page: &str) -> Result<String> {
    let form = [
        ("log", "editor"),
        ("pwd", "a long enough password"),
        ("testcookie", "1"),
    ];
    let (answer, cookies) = site
        .browse(
            page,
            "wordpress_test_cookie=WP%20Cookie%20check",
            Some(&form),
        )
        .await?;
    ensure!(
        answer.status == 302
            && cookies
                .iter()
                .any(|one| one.starts_with("wordpress_logged_in_")),
        "not logged in: {} {cookies:?} {}",
        answer.status,
        answer.body.chars().take(600).collect::<String>()
    );
    Ok(cookies.join("; "))
}

fn mode(path: &Path) -> Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

// Rows: T35, T36, T37, T40
#[tokio::test]
async fn editors_and_debugging_follow_their_constants() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("measures.press.example").await?;
    let config = site.root.join("wp-config.php");
    let first = seen(&fixture, &site).await?;
    assert_eq!(
        first,
        json!({
            "file_edit_disabled": false,
            "file_protection": false,
            "hide_login": { "enabled": false, "slug": null },
            "debug": { "wp_debug": false, "log": false, "display": false },
            "checksums": { "status": "unknown", "checked_at": null },
            "xmlrpc_enabled": true,
            "directory_listing": false,
            "wp_config_mode": "0600",
            "admin_user_exists": false,
            "core_up_to_date": first["core_up_to_date"],
            "score": 25 + if first["core_up_to_date"] == true { 20 } else { 0 },
        })
    );

    // The editor answers until it is switched off, and again afterwards.
    let cookies = logged_in(&site, "/wp-login.php").await?;
    let editor = async || -> Result<u16> {
        let page = site
            .browse("/wp-admin/theme-editor.php", &cookies, None)
            .await?
            .0;
        Ok(page.status)
    };
    assert_eq!(editor().await?, 200);
    let before = fs::read(&config)?;
    for _ in 0..2 {
        let off = done(&fixture, &site, "disable-file-edit", json!({})).await?;
        assert_eq!(off["message"], "The editors of plugins and themes are off");
        assert_eq!(off["security"]["file_edit_disabled"], true, "{off}");
        assert_eq!(editor().await?, 403);
        ensure!(
            site.php("require 'wp-load.php'; echo json_encode(DISALLOW_FILE_EDIT);")? == "true"
        );
        assert_eq!(mode(&config)?, 0o600);
    }
    for _ in 0..2 {
        let on = done(
            &fixture,
            &site,
            "disable-file-edit",
            json!({ "enabled": false }),
        )
        .await?;
        assert_eq!(on["security"]["file_edit_disabled"], false, "{on}");
        assert_eq!(editor().await?, 200);
    }
    assert_eq!(fs::read(&config)?, before);

    // A constant that is defined under a condition is nobody's to change.
    let text = String::from_utf8(before.clone())?.replacen(
        "<?php",
        "<?php\nif (getenv('EDIT')) { define('DISALLOW_FILE_EDIT', false); }",
        1,
    );
    fs::write(&config, &text)?;
    let refused = set(&fixture, &site, "disable-file-edit", json!({}))
        .await?
        .expect(422)?;
    ensure!(
        refused.text.contains("DISALLOW_FILE_EDIT"),
        "{}",
        refused.text
    );
    assert_eq!(fs::read_to_string(&config)?, text);
    fs::write(&config, &before)?;
    fixture.settled_jobs().await?;

    // Complaints go to a private file and to nobody's screen.
    let noise = site.root.join("wp-content/mu-plugins/noise.php");
    fs::create_dir_all(noise.parent().context("a directory")?)?;
    fs::write(
        &noise,
        "<?php if (isset($_GET['noise'])) { trigger_error('NOISE-' . $_GET['noise']); }",
    )?;
    site.own(noise.parent().context("a directory")?)?;
    let log = site.root.parent().context("a home")?.join("logs/debug.log");
    let on = done(&fixture, &site, "toggle-debug", json!({})).await?;
    assert_eq!(
        on["security"]["debug"],
        json!({ "wp_debug": true, "log": true, "display": false })
    );
    ensure!(
        on["message"]
            .as_str()
            .is_some_and(|said| said.contains(&log.display().to_string())),
        "{on}"
    );
    let installation = &fixture.installations().await?[0];
    assert_eq!(installation["debug"], true, "{installation}");
    let page = site.get("/?noise=one").await?;
    ensure!(
        page.status == 200 && !page.body.contains("NOISE"),
        "{}",
        page.body
    );
    let logged = fs::read_to_string(&log)?;
    ensure!(logged.contains("NOISE-one"), "{logged}");
    ensure!(mode(log.parent().context("a directory")?)? == 0o700);
    for address in [
        "/debug.log",
        "/logs/debug.log",
        "/../logs/debug.log",
        "/wp-content/debug.log",
    ] {
        let page = site.get(address).await?;
        ensure!(!page.body.contains("NOISE"), "{address}: {}", page.body);
    }
    let off = done(&fixture, &site, "toggle-debug", json!({})).await?;
    assert_eq!(
        off["security"]["debug"],
        json!({ "wp_debug": false, "log": false, "display": false })
    );
    assert_eq!(fixture.installations().await?[0]["debug"], false);
    site.get("/?noise=two").await?;
    ensure!(!fs::read_to_string(&log)?.contains("NOISE-two"));
    done(&fixture, &site, "toggle-debug", json!({ "enabled": false })).await?;
    assert_eq!(
        site.php(
            "require 'wp-load.php'; echo json_encode([WP_DEBUG, WP_DEBUG_LOG, WP_DEBUG_DISPLAY]);"
        )?,
        "[false,false,false]"
    );

    // The last comparison of the files is remembered.
    let token = fixture.fresh_token().await?;
    let path = format!("/api/v1/wordpress/verify-checksums?id={}", site.id);
    fixture
        .server
        .api(Some(&token))?
        .get(&path)
        .await?
        .expect(200)?;
    let now = seen(&fixture, &site).await?;
    ensure!(now["checksums"]["checked_at"].is_string(), "{now}");
    ensure!(now["checksums"]["status"] == "verified", "{now}");
    fs::write(site.root.join("wp-includes/shell.php"), "<?php")?;
    fixture
        .server
        .api(Some(&token))?
        .get(&path)
        .await?
        .expect(200)?;
    assert_eq!(
        seen(&fixture, &site).await?["checksums"]["status"],
        "modified"
    );

    // By the command line, for people.
    let shown = fixture
        .server
        .cli(&["security", "show", "measures.press.example"], "")
        .await?;
    ensure!(
        shown.code == 0 && shown.stdout.contains("file editing off\tno\t0/10"),
        "{shown:?}"
    );
    let off = fixture
        .server
        .cli(
            &["security", "file-editing", "measures.press.example", "off"],
            "",
        )
        .await?;
    ensure!(off.code == 0, "{off:?}");
    assert_eq!(editor().await?, 403);
    Ok(())
}

const PROTECTED: [&str; 4] = [
    "/readme.html",
    "/wp-content/plugins/akismet/readme.txt",
    "/wp-content/cache/x.php",
    "/wp-content/cache/deep/er/x.PHP",
];

/// Lays what is to be refused, and is given out while nobody refuses it.
fn lay(site: &Site) -> Result<()> {
    for (path, text) in [
        ("readme.html", "VERSION-TOLD"),
        ("wp-content/plugins/akismet/readme.txt", "VERSION-TOLD"),
        ("wp-content/cache/x.php", "<?php echo 'VERSION-TOLD';"),
        ("wp-content/uploads/x.php", "<?php echo 'RUN';"),
        ("wp-content/uploads/readme.txt", "a visitor's own"),
        ("wp-content/cache/page.html", "a cached page"),
        (".env", "SECRET"),
        (".well-known/acme-challenge/token", "challenge"),
    ] {
        let path = site.root.join(path);
        fs::create_dir_all(path.parent().context("a directory")?)?;
        fs::write(path, text)?;
    }
    site.own(&site.root)
}

/// What visitors are given: of what protection refuses, and of what it leaves alone.
async fn given(site: &Site) -> Result<bool> {
    let mut told = Vec::new();
    for path in PROTECTED {
        let page = site.get(path).await?;
        told.push(page.body.contains("VERSION-TOLD"));
        ensure!(page.status != 500, "{path}");
    }
    for (path, text) in [
        ("/wp-content/uploads/readme.txt", "a visitor's own"),
        ("/wp-content/cache/page.html", "a cached page"),
        ("/.well-known/acme-challenge/token", "challenge"),
    ] {
        let page = site.get(path).await?;
        ensure!(page.body == text, "{path} is {} {}", page.status, page.body);
    }
    ensure!(site.get("/.env").await?.status == 403);
    ensure!(site.get("/wp-content/uploads/x.php").await?.status == 403);
    ensure!(site.get("/").await?.status == 200);
    Ok(told.into_iter().any(|is_given| is_given))
}

// Rows: T35, T38
#[tokio::test]
async fn file_protection_stays_with_its_site() -> Result<()> {
    const HOST: &str = "files.press.example";
    const NEXT: &str = "moved.press.example";
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(HOST).await?;
    lay(&site)?;
    let config = site.root.join("wp-config.php");
    ensure!(given(&site).await?, "nothing was given out before");
    assert_eq!(seen(&fixture, &site).await?["file_protection"], false);
    let snapshot = fixture
        .server
        .cli(&["snapshot", "create", HOST], "")
        .await?;
    let snapshot = snapshot.stdout.lines().last().context("a name")?.to_owned();
    for _ in 0..2 {
        let on = done(
            &fixture,
            &site,
            "file-protection",
            json!({ "enabled": true }),
        )
        .await?;
        ensure!(on.get("warning").is_none(), "{on}");
        assert_eq!(on["security"]["file_protection"], true, "{on}");
        assert_eq!(on["security"]["wp_config_mode"], "0640", "{on}");
        ensure!(!given(&site).await?);
        ensure!(
            !site.root.join(".htaccess").exists(),
            "nginx does not read it"
        );
    }

    // A site in a directory below is one of its own.
    let mut request = install_request(HOST);
    request["path"] = json!("public_html/blog");
    request["db_name"] = json!("blog");
    let started = fixture.post("/install", &request).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    let below = fixture.site(&started.string("id")?).await?;
    ensure!(below.url.ends_with("/blog"), "{}", below.url);
    lay(&below)?;
    ensure!(!given(&site).await? && given(&below).await?);
    let on = done(&fixture, &below, "file-protection", json!({})).await?;
    assert_eq!(on["security"]["file_protection"], true, "{on}");
    ensure!(!given(&below).await?);
    let off = done(
        &fixture,
        &site,
        "file-protection",
        json!({ "enabled": false }),
    )
    .await?;
    assert_eq!(off["security"]["file_protection"], false, "{off}");
    assert_eq!(mode(&config)?, 0o600);
    ensure!(given(&site).await? && !given(&below).await?);
    let removed = fixture
        .server
        .cli(&["site", "remove", &below.id, "--yes"], "")
        .await?;
    ensure!(removed.code == 0, "{removed:?}");

    // Files of another time know nothing of it; what is wanted stays.
    done(&fixture, &site, "file-protection", json!({})).await?;
    let back = fixture
        .server
        .cli(&["snapshot", "restore", HOST, &snapshot, "--yes"], "")
        .await?;
    ensure!(back.code == 0, "{back:?}");
    ensure!(!given(&site).await?);
    assert_eq!(mode(&config)?, 0o640);

    fixture.add_domain(NEXT).await?;
    let moved = fixture
        .server
        .cli(&["site", "move", HOST, NEXT], "")
        .await?;
    ensure!(moved.code == 0, "{moved:?}");
    let site = fixture.site(&site.id).await?;
    ensure!(site.url.contains(NEXT), "{}", site.url);
    ensure!(!given(&site).await?);
    assert_eq!(seen(&fixture, &site).await?["file_protection"], true);
    let off = done(
        &fixture,
        &site,
        "file-protection",
        json!({ "enabled": false }),
    )
    .await?;
    assert_eq!(off["security"]["file_protection"], false, "{off}");
    ensure!(given(&site).await?);
    Ok(())
}
