//! Looks at real sites, also at one whose pages are still served when WordPress is dead.

use crate::{
    caches::{enable, seen},
    security::set,
};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options,
    names::NameServer,
    receiver::{Manner, Receiver},
    wait::{eventually, eventually_every},
};
use pressroom_tests::fixture::{ACCOUNT, Fixture, JOB_TIME};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, net::Ipv4Addr, time::Duration};

const DOMAIN: &str = "watched.press.example";

/// A server that looks at its sites.
async fn watching() -> Result<Fixture> {
    with_env(&[("PRESSROOM_HEALTH__CONCURRENCY", "4")]).await
}

async fn with_env(env: &[(&str, &str)]) -> Result<Fixture> {
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Fixture::start(Options {
        env,
        ..Options::default()
    })
    .await
}

/// Looks at the site now; the exit code, and what was found.
async fn check(fixture: &Fixture) -> Result<(i32, Value)> {
    let run = fixture
        .server
        .cli(&["--json", "health", "check", DOMAIN], "")
        .await?;
    let text = run.stdout.trim();
    let look = serde_json::from_str(text).with_context(|| format!("{text}{}", run.stderr))?;
    Ok((run.code, look))
}

/// How each thing is, and what is said of it.
fn checks(look: &Value) -> Result<BTreeMap<String, (String, String)>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = look["checks"].as_array().context("checks")?;
    Ok(checks
        .iter()
        .map(|check| {
            let is = (text(&check["status"]), text(&check["message"]));
            (text(&check["name"]), is)
        })
        .collect())
}

/// How many sites a selector names.
async fn count(fixture: &Fixture, selector: &str) -> Result<usize> {
    let list = fixture.server.cli_json(&["site", "list", selector]).await?;
    Ok(list.as_array().context("a list")?.len())
}

#[tokio::test]
async fn a_site_is_looked_at_from_outside_and_from_inside() -> Result<()> {
    let fixture = watching().await?;
    let site = fixture.install(DOMAIN).await?;
    // Nobody has to ask.
    let pause = Duration::from_millis(300);
    eventually_every(pause, "a look of the schedule's", JOB_TIME, || async {
        let looks = fixture
            .server
            .cli_json(&[
                "health",
                "list",
                DOMAIN,
                "--kind",
                "scheduled",
                "--status",
                "passed",
            ])
            .await?;
        ensure!(
            looks.as_array().is_some_and(|looks| !looks.is_empty()),
            "{looks}"
        );
        Ok(())
    })
    .await?;
    ensure!(count(&fixture, "status:healthy").await? == 1);

    let (code, look) = check(&fixture).await?;
    let found = checks(&look)?;
    ensure!(code == 0, "{look}");
    ensure!(found.len() == 12, "{look}");
    for name in [
        "http",
        "rest_api",
        "login_page",
        "fatal_error",
        "database",
        "core_checksums",
        "cron",
        "php_version",
        "disk",
    ] {
        ensure!(found[name].0 == "passed", "{name}: {look}");
    }
    ensure!(
        found["tls"].0 == "skipped" && found["dns"].0 == "skipped",
        "{look}"
    );

    // A cache, filled, and WordPress dead behind it.
    enable(&fixture, &site, "page").await?;
    let first = site.get("/").await?;
    ensure!(first.status == 200);
    seen(&site, "/", "HIT").await?;
    let plugins = site.root.join("wp-content/mu-plugins");
    fs::create_dir_all(&plugins)?;
    let fatal = plugins.join("a-fatal-one.php");
    fs::write(&fatal, "<?php\nnobody_wrote_this_function();\n")?;
    site.own(&plugins)?;
    seen(&site, "/", "HIT").await?;
    let (code, look) = check(&fixture).await?;
    let found = checks(&look)?;
    ensure!(code == 1 && look["status"] == "failed", "{look}");
    ensure!(
        found["http"]
            .1
            .contains("visitors still get a page, from a cache"),
        "{look}"
    );
    ensure!(found["fatal_error"].0 == "failed", "{look}");
    ensure!(look["http_status"] == 200, "{look}");
    ensure!(
        count(&fixture, "-status:down").await? == 1,
        "once may be bad luck"
    );
    check(&fixture).await?;
    ensure!(count(&fixture, "status:down").await? == 1, "twice is not");

    // A file of WordPress' own that is not, and the login page elsewhere.
    fs::remove_file(&fatal)?;
    fs::write(
        site.root.join("wp-includes/version-old.php"),
        "<?php // left behind\n",
    )?;
    let hidden = set(
        &fixture,
        &site,
        "hide-login",
        json!({ "slug": "side-door" }),
    )
    .await?;
    hidden.expect(200)?;
    let (code, look) = check(&fixture).await?;
    let found = checks(&look)?;
    ensure!(code == 0 && look["status"] == "warning", "{look}");
    ensure!(found["core_checksums"].0 == "warning", "{look}");
    let (status, message) = &found["login_page"];
    ensure!(
        status == "passed" && message.contains("/side-door/"),
        "{look}"
    );
    ensure!(count(&fixture, "status:degraded").await? == 1);
    let looks = fixture
        .server
        .cli_json(&["health", "list", DOMAIN, "--status", "failed"])
        .await?;
    let id = looks[0]["id"].as_str().context("an id")?;
    let one = fixture.server.cli_json(&["health", "show", id]).await?;
    ensure!(
        one["status"] == "failed" && one["checks"].is_array(),
        "{one}"
    );
    Ok(())
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_told_once() -> Result<()> {
    let names = NameServer::start(Ipv4Addr::new(192, 0, 2, 1)).await?;
    let fixture = with_env(&[
        ("PRESSROOM_HEALTH__RESOLVER", &names.address.to_string()),
        ("PRESSROOM_OUTGOING__ALLOW_PRIVATE", "127.0.0.1"),
    ])
    .await?;
    fixture.install(DOMAIN).await?;
    let receiver = Receiver::that(Manner::Ok).await;
    let url = receiver.url();
    let words = [
        "webhook",
        "add",
        &url,
        "--account",
        ACCOUNT,
        "--event",
        "dns.changed",
    ];
    fixture.server.cli(&words, "").await?.line()?;
    // What is seen first is no change.
    for to in [1, 1, 7, 7] {
        names.lead_to(Ipv4Addr::new(192, 0, 2, to));
        let (_, look) = check(&fixture).await?;
        ensure!(checks(&look)?["dns"].0 != "skipped", "{look}");
    }
    let told = eventually("a message", JOB_TIME, || async {
        let told = receiver.received();
        ensure!(!told.is_empty(), "nothing");
        Ok(told)
    })
    .await?;
    ensure!(told.len() == 1, "{told:?}");
    let message: Value = serde_json::from_str(&told[0].body)?;
    ensure!(message["event"] == "dns.changed", "{message}");
    let change = json!({ "record": "A", "before": ["192.0.2.1"], "after": ["192.0.2.7"] });
    ensure!(message["data"] == change, "{message}");
    Ok(())
}
