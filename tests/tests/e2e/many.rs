//! What is done to one site, done to many at once.

use crate::runs::{items, label, newest, sites, states};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    Options, chance::Chance, eventually, plugin::zip_of, server::Pressroom, site::Site,
};
use pressroom_tests::{
    fixture::{Fixture, SHORT_LEASES},
    killed::rounds,
};
use rustix::process::Signal;
use std::time::Duration;

const SOON: Duration = Duration::from_mins(1);

/// A plugin that ends the site whose address begins with `breaks`.
fn plugin(version: &str, breaks: &str) -> Vec<u8> {
    let main = format!(
        "<?php\n/*\nPlugin Name: Greeting\nVersion: {version}\n*/\n\
         if (str_starts_with((string) parse_url(get_option('home'), PHP_URL_HOST), '{breaks}.')) {{\n\
         \tpressroom_is_not_here();\n}}\n\
         add_action('wp_footer', function () {{ echo '<!-- greeting {version} -->'; }});\n"
    );
    zip_of(&[("greeting/greeting.php", &main)])
}

async fn shows(site: &Site, text: &str) -> Result<()> {
    let page = site.get("/").await?;
    ensure!(page.status == 200, "{}: {}", site.url, page.status);
    ensure!(page.body.contains(text), "{}: no {text}", site.url);
    Ok(())
}

async fn done_everywhere(server: &Pressroom, words: &[&str]) -> Result<()> {
    let done = server.cli(words, "").await?;
    ensure!(done.code == 0, "{words:?}: {done:?}");
    Ok(())
}

fn option(site: &Site, name: &str) -> Result<String> {
    site.php(&format!(
        "define('SHORTINIT', true); require 'wp-load.php'; echo $wpdb->get_var(\
         \"SELECT option_value FROM $wpdb->options WHERE option_name = '{name}'\");"
    ))
}

#[tokio::test]
async fn what_is_done_to_one_site_is_done_to_many() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let server = &fixture.server;
    let sites = sites(&fixture, "many.press.example", &["a", "b", "c"]).await?;
    let labels: Vec<&str> = sites.iter().map(label).collect();

    fixture.offer_zip("greeting.1.0.0.zip", &plugin("1.0.0", "nobody"))?;
    let install = ["plugin", "install", "--on", "all", "greeting", "--activate"];
    let done = server.cli(&install, "").await?;
    ensure!(done.code == 0, "{done:?}");
    for site in &sites {
        shows(site, "<!-- greeting 1.0.0 -->").await?;
        let said = format!("{}: 1 of 1 plugins done\n", label(site));
        ensure!(done.stdout.contains(&said), "{done:?}");
    }

    // One breaks and has the old version again; the others have the new one.
    fixture.offer_zip("greeting.1.1.0.zip", &plugin("1.1.0", "b"))?;
    let old = [
        "plugin",
        "update",
        "--on",
        "plugin:greeting<1.1",
        "greeting",
    ];
    let done = server.cli(&old, "").await?;
    ensure!(done.code == 1, "{done:?}");
    let ended = format!("{}: ", labels[1]);
    ensure!(done.stderr.contains(&ended), "{done:?}");
    ensure!(done.stderr.contains("2 done, 1 failed"), "{done:?}");
    shows(&sites[0], "<!-- greeting 1.1.0 -->").await?;
    shows(&sites[1], "<!-- greeting 1.0.0 -->").await?;
    shows(&sites[2], "<!-- greeting 1.1.0 -->").await?;
    let run = newest(&fixture).await?;
    ensure!(run["operation"] == "update_components", "{run}");
    // What the selector names now is the one that is left.
    let left = server
        .cli(&["site", "list", "plugin:greeting<1.1"], "")
        .await?;
    ensure!(left.stdout.contains(labels[1]), "{left:?}");
    ensure!(!left.stdout.contains(labels[0]), "{left:?}");

    // Where there is none of it nothing is begun, and it is told.
    let missing = ["plugin", "deactivate", "--on", "all", "no-such"];
    let done = server.cli(&missing, "").await?;
    ensure!(done.code == 1, "{done:?}");
    let said = format!(
        "{}: Plugin not found (`no-such` is not installed)\n",
        labels[2]
    );
    ensure!(done.stderr.contains(&said), "{done:?}");
    let run = newest(&fixture).await?;
    let run = run["id"].as_str().context("an id")?;
    let ended = items(&fixture, run).await?;
    ensure!(
        states(&ended).iter().all(|state| *state != "done"),
        "{ended:?}"
    );

    let off = ["security", "file-editing", "--on", "all", "off"];
    done_everywhere(server, &off).await?;
    let replace = [
        "site",
        "search-replace",
        "--on",
        "-plugin:x",
        "Just another",
        "Yet another",
    ];
    for site in &sites {
        site.php("require 'wp-load.php'; update_option('blogdescription', 'Just another site');")?;
    }
    done_everywhere(server, &replace).await?;
    done_everywhere(server, &["site", "reinstall-core", "--on", "all"]).await?;
    done_everywhere(server, &["cache", "flush", "--on", "all"]).await?;
    for site in &sites {
        let constant = site.php("require 'wp-load.php'; var_dump(DISALLOW_FILE_EDIT);")?;
        ensure!(constant.trim() == "bool(true)", "{constant}");
        let description = option(site, "blogdescription")?;
        ensure!(description == "Yet another site", "{description}");
        shows(site, "<!-- greeting").await?;
    }

    // Either one site or a selector, and no address that may hold a password.
    let url = "https://press.example/x.zip?key=hunter2";
    for words in [
        &["plugin", "install", "--on", "all", "x", "--source", url][..],
        &["site", "reinstall-core", "--on", "all", labels[0]],
        &["site", "search-replace", "--on", "all", "a", "b", "c"],
        &["plugin", "update"],
        &["plugin", "activate", "--on", "all"],
    ] {
        let done = server.cli(words, "").await?;
        ensure!(done.code == 2, "{words:?}: {done:?}");
    }
    Ok(())
}

#[tokio::test]
async fn ctrl_c_stops_what_is_done_to_many() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let sites = sites(&fixture, "halt.press.example", &["a", "b"]).await?;
    // A command holds the first site; what waits for it never begins.
    let slow = [
        "run",
        "--on",
        "domain:a.halt.press.example",
        "--",
        "sleep",
        "50",
    ];
    let slow = fixture.server.begin_cli(&slow)?;
    let first = eventually("a run", SOON, || async { newest(&fixture).await }).await?;
    let installs = ["plugin", "deactivate", "--on", "all", "greeting"];
    let stopped = fixture.server.begin_cli(&installs)?;
    eventually("another run, at its work", SOON, || async {
        let run = newest(&fixture).await?;
        ensure!(run["id"] != first["id"], "it has not begun");
        let id = run["id"].as_str().context("an id")?;
        let items = items(&fixture, id).await?;
        ensure!(items[1]["ended_at"].is_number(), "{items:?}");
        Ok(())
    })
    .await?;
    stopped.signal(Signal::INT)?;
    let ended = stopped.ended().await?;
    ensure!(ended.code == 130, "{ended:?}");
    let said = format!("{}: stopped before its turn came\n", label(&sites[0]));
    ensure!(ended.stderr.contains(&said), "{ended:?}");
    assert_eq!(newest(&fixture).await?["state"], "cancelled");
    slow.signal(Signal::INT)?;
    ensure!(slow.ended().await?.code == 130);
    Ok(())
}

#[tokio::test]
async fn a_killed_server_doubles_and_loses_nothing() -> Result<()> {
    let mut fixture = Fixture::start(Options {
        config: SHORT_LEASES.to_owned(),
        ..Options::default()
    })
    .await?;
    let sites = sites(&fixture, "kill.press.example", &["a", "b", "c"]).await?;
    fixture.offer_zip("greeting.1.0.0.zip", &plugin("1.0.0", "nobody"))?;
    let install = ["plugin", "install", "--on", "all", "greeting", "--activate"];
    done_everywhere(&fixture.server, &install).await?;
    let mut chance = Chance::new();
    for round in 1..=rounds(2, 20) {
        let version = format!("1.{round}.0");
        let zip = plugin(&version, "nobody");
        fixture.offer_zip(&format!("greeting.{version}.zip"), &zip)?;
        let before = newest(&fixture).await?;
        let update = ["plugin", "update", "--on", "all", "greeting"];
        let run = fixture.server.begin_cli(&update)?;
        eventually("a run", SOON, || async {
            ensure!(newest(&fixture).await?["id"] != before["id"], "not yet");
            Ok(())
        })
        .await?;
        // While sites are looked at, jobs are begun, or they run.
        let delay = chance.up_to(Duration::from_millis(1500));
        tokio::time::sleep(delay).await;
        fixture.server.restart().await?;
        let ended = run.ended().await?;
        ensure!(ended.code == 0, "round {round}, after {delay:?}: {ended:?}");
        for site in &sites {
            shows(site, &format!("<!-- greeting {version} -->")).await?;
        }
        let jobs = fixture
            .server
            .cli_json(&["job", "list", "--limit", "200"])
            .await?;
        let jobs = jobs.as_array().context("a list")?;
        let updates = jobs.iter().filter(|job| job["kind"] == "component_update");
        let expected = sites.len() * usize::try_from(round)?;
        ensure!(updates.count() == expected, "round {round}: {jobs:?}");
    }
    Ok(())
}
