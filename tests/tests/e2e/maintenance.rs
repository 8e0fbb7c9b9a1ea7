//! Maintenance as visitors see it.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::site::Site;
use pressroom_testkit::wait::eventually_every;
use pressroom_tests::fixture::{Fixture, JOB_TIME};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::time::{Duration, SystemTime};

const DOMAIN: &str = "closed.press.example";

async fn set(
    fixture: &Fixture,
    site: &Site,
    enabled: bool,
) -> Result<pressroom_testkit::api::Reply> {
    let token = fixture.fresh_token().await?;
    let body = json!({ "id": site.id, "enabled": enabled });
    fixture
        .server
        .api(Some(&token))?
        .post("/api/v1/wordpress/maintenance", &body)
        .await
}

/// Front page, and a page of WordPress' own.
async fn statuses(site: &Site) -> Result<[u16; 2]> {
    Ok([
        site.get("/").await?.status,
        site.get("/wp-login.php").await?.status,
    ])
}

/// As if ten minutes had gone by without anybody looking after it.
fn lapse(site: &Site) -> Result<()> {
    let past = SystemTime::now() - Duration::from_mins(11);
    File::options()
        .write(true)
        .open(site.root.join(".maintenance"))?
        .set_modified(past)
        .context("the file's time")
}

// Rows: T09
#[tokio::test]
async fn a_site_is_closed_until_somebody_opens_it() -> Result<()> {
    let mut fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(DOMAIN).await?;
    let file = site.root.join(".maintenance");
    for _ in 0..2 {
        let on = set(&fixture, &site, true).await?.expect(200)?.body;
        assert_eq!(
            on,
            json!({ "success": true, "maintenance": true, "message": "The site is in maintenance" })
        );
        assert_eq!(statuses(&site).await?, [503, 503]);
    }

    // A job that has a maintenance of its own does not end this one.
    let snapshot = fixture
        .server
        .cli(&["snapshot", "create", DOMAIN], "")
        .await?;
    ensure!(snapshot.code == 0, "{snapshot:?}");
    let name = snapshot.stdout.lines().last().context("a name")?.to_owned();
    let back = fixture
        .server
        .cli(&["snapshot", "restore", DOMAIN, &name, "--yes"], "")
        .await?;
    ensure!(back.code == 0, "{back:?}");
    assert_eq!(statuses(&site).await?, [503, 503]);

    // Nobody is there: it ends by itself. Somebody is again: it goes on.
    fixture.server.stop()?;
    lapse(&site)?;
    assert_eq!(statuses(&site).await?, [200, 200]);
    fixture.server.launch().await?;
    eventually_every(
        Duration::from_millis(400),
        "maintenance again",
        JOB_TIME,
        || async {
            ensure!(statuses(&site).await? == [503, 503]);
            Ok(())
        },
    )
    .await?;
    fixture.settled_jobs().await?;

    for _ in 0..2 {
        let off = set(&fixture, &site, false).await?.expect(200)?.body;
        assert_eq!(off["maintenance"], false, "{off}");
        assert_eq!(statuses(&site).await?, [200, 200]);
        ensure!(!file.exists(), "the file is still there");
    }
    // What is not wanted is not prolonged.
    fixture.server.restart().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(statuses(&site).await?, [200, 200]);

    // Somebody else's.
    let foreign = "<?php $upgrading = time(); ?>";
    fs::write(&file, foreign)?;
    site.own(&file)?;
    let on = set(&fixture, &site, true).await?.expect(200)?.body;
    let message = on["message"].as_str().unwrap_or_default();
    ensure!(message.contains("omebody else's"), "{on}");
    let off = set(&fixture, &site, false).await?.expect(409)?;
    ensure!(
        off.string("error")?.contains("left as it is"),
        "{}",
        off.text
    );
    assert_eq!(fs::read_to_string(&file)?, foreign);
    fs::remove_file(&file)?;
    assert_eq!(statuses(&site).await?, [200, 200]);

    let cli = |state: &'static str| {
        let server = &fixture.server;
        async move {
            server
                .cli(&["site", "maintenance", state, DOMAIN], "")
                .await
        }
    };
    ensure!(cli("on").await?.code == 0);
    assert_eq!(statuses(&site).await?, [503, 503]);
    let found: Value = fixture
        .get(&format!("/installation?id={}", site.id))
        .await?
        .expect(200)?
        .body;
    assert_eq!(found["maintenance"], true, "{found}");
    ensure!(cli("off").await?.code == 0);
    assert_eq!(statuses(&site).await?, [200, 200]);
    Ok(())
}
