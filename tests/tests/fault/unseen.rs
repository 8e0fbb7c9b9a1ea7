//! SIGKILL after a change and before anybody has seen how the site fares with it: whoever
//! comes after looks, and puts back what the site does not live with.

use anyhow::{Context, Result, bail, ensure};
use pressroom_testkit::eventually;
use pressroom_testkit::plugin::PluginPackage;
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_tests::{fixture::Fixture, killed, network::network};
use serde_json::Value;
use std::fs;
use std::time::Duration;

const SLUG: &str = "shop";
const MAIN_FILE: &str = "shop/shop.php";

/// PHP that says so and waits for a word, at most a minute.
const HOLD: &str = "touch(WP_CONTENT_DIR . '/held'); \
    for ($i = 0; $i < 600 && !file_exists(WP_CONTENT_DIR . '/go'); $i++) { usleep(100000); clearstatcache(); } ";

/// Holds every visitor of the site as long as `condition` holds, and does `then` to them.
fn hold(site: &Site, condition: &str, then: &str) -> Result<()> {
    let directory = site.root.join("wp-content/mu-plugins");
    fs::create_dir_all(&directory)?;
    let code = format!("<?php if (PHP_SAPI !== 'cli' && {condition}) {{ {HOLD} {then} }}");
    fs::write(directory.join("hold.php"), code)?;
    site.own(&directory)
}

/// Asks for something, waits until PHP is held in the middle of it, and kills the server.
/// With `cancel` somebody wants the job to stop before that. Answers the job as the next
/// worker has ended it.
async fn killed_while_held(
    fixture: &mut Fixture,
    site: &Site,
    asked: &[&str],
    cancel: bool,
) -> Result<Value> {
    let content = site.root.join("wp-content");
    let held = eventually("PHP that waits", Duration::from_mins(1), || async {
        ensure!(content.join("held").exists(), "nothing waits yet");
        Ok(())
    });
    tokio::select! {
        answered = fixture.server.cli(asked, "") => bail!("answered before: {:?}", answered?),
        held = held => held?,
    }
    if cancel {
        let jobs = fixture.server.cli_json(&["job", "list"]).await?;
        let job = jobs[0]["public_id"].as_str().context("an id")?;
        fixture
            .server
            .cli(&["job", "cancel", job], "")
            .await?
            .line()?;
    }
    fixture.server.kill9()?;
    fs::write(content.join("go"), "")?;
    fixture.server.launch().await?;
    let jobs = fixture.settled_jobs().await?;
    jobs.into_iter().next().context("a job")
}

fn nothing_is_left(site: &Site, about: &Value) -> Result<()> {
    let home = site.root.parent().context("a home")?;
    for place in ["journal", "staging"] {
        let left: Vec<_> = fs::read_dir(home.join(".pressroom").join(place))?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        ensure!(left.is_empty(), "{about}\nleft at the site: {left:?}");
    }
    Ok(())
}

/// What the tables list as active, running no plugin; `blog` is its tables' middle.
fn listed(site: &Site, blog: &str) -> Result<String> {
    site.php(&format!(
        "define('SHORTINIT', true); require 'wp-load.php'; \
         echo $wpdb->get_var(\"SELECT option_value FROM {{$wpdb->base_prefix}}{blog}options WHERE option_name = 'active_plugins'\");"
    ))
}

#[tokio::test]
async fn a_deletion_is_judged_by_whoever_comes_after() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let package = PluginPackage::new(SLUG).files(20);
    let packed = Tree::of_package(&package.zip(), SLUG)?;
    let gone = "!is_dir(WP_PLUGIN_DIR . '/shop')";
    let cases = [
        ("lives.press.example", "", false, "completed"),
        (
            "dies.press.example",
            "nobody_defined_this();",
            false,
            "failed",
        ),
        ("cancelled.press.example", "", true, "cancelled"),
    ];
    for (domain, then, cancel, expected) in cases {
        let site = fixture.install(domain).await?;
        site.plant_plugin(&package, SLUG)?;
        hold(&site, gone, then)?;
        let asked = ["plugin", "delete", domain, SLUG, "--force"];
        let job = killed_while_held(&mut fixture, &site, &asked, cancel).await?;
        ensure!(job["state"] == expected, "{domain}: {job}");
        if expected == "completed" {
            ensure!(!site.plugin_directory(SLUG).exists(), "{job}");
        } else {
            let difference = packed.difference(&site.plugin_tree(SLUG)?);
            ensure!(difference.is_empty(), "{job}\n{difference:?}");
        }
        if expected == "failed" {
            ensure!(job.to_string().contains("are back because"), "{job}");
        }
        ensure!(!listed(&site, "")?.contains(MAIN_FILE), "{job}");
        site.front_page_with(domain).await?;
        nothing_is_left(&site, &job)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_deactivation_is_judged_by_whoever_comes_after() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let package = PluginPackage::new(SLUG);
    let off = "!in_array('shop/shop.php', get_option('active_plugins', array()))";
    // By itself, and on the way to a deletion.
    for (domain, verb, force) in [
        ("off.press.example", "deactivate", None),
        ("away.press.example", "delete", Some("--force")),
    ] {
        let site = fixture.install(domain).await?;
        site.plant_plugin(&package, SLUG)?;
        hold(&site, off, "nobody_defined_this();")?;
        let mut asked = vec!["plugin", verb, domain, SLUG];
        asked.extend(force);
        let job = killed_while_held(&mut fixture, &site, &asked, false).await?;
        ensure!(job["state"] == "failed", "{job}");
        ensure!(job.to_string().contains("it is active again"), "{job}");
        ensure!(listed(&site, "")?.contains(MAIN_FILE), "{job}");
        site.front_page_with(&package.mark()).await?;
        nothing_is_left(&site, &job)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_theme_put_out_of_use_is_judged_by_whoever_comes_after() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let domain = "dress.press.example";
    let site = fixture.install(domain).await?;
    let themes = site.root.join("wp-content/themes");
    let was = site.php("require 'wp-load.php'; echo get_option('stylesheet');")?;
    let other = themes.join("twentyfifty");
    fs::create_dir_all(&other)?;
    fs::write(
        other.join("style.css"),
        "/*\nTheme Name: Fifty\nVersion: 1.0\n*/\n",
    )?;
    fs::write(
        other.join("index.php"),
        "<!DOCTYPE html><html><head><title>Fifty</title></head><body></body></html>",
    )?;
    site.own(&other)?;
    let switched = "get_option('stylesheet') === 'twentyfifty'";
    hold(&site, switched, "nobody_defined_this();")?;
    let asked = ["theme", "deactivate", domain, was.as_str()];
    let job = killed_while_held(&mut fixture, &site, &asked, false).await?;
    ensure!(job["state"] == "failed", "{job}");
    let now = site.php("require 'wp-load.php'; echo get_option('stylesheet');")?;
    assert_eq!(now, was, "{job}");
    site.front_page_with(domain).await?;
    nothing_is_left(&site, &job)
}

#[tokio::test]
async fn what_one_site_of_a_network_had_active_is_active_there_again() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let domain = "many.press.example";
    let site = fixture.install(domain).await?;
    network(&site, false)?;
    // Its list is stored without it, and then PHP waits.
    let directory = site.plugin_directory(SLUG);
    fs::create_dir_all(&directory)?;
    let code = format!(
        "<?php\n/*\n * Plugin Name: Shop\n * Version: 1.0.0\n */\n\
         add_action('update_option_active_plugins', function () {{ {HOLD} }});\n"
    );
    fs::write(directory.join("shop.php"), code)?;
    site.own(&directory)?;
    site.php(&format!(
        "require 'wp-load.php'; switch_to_blog(2); \
         $wpdb->query($wpdb->prepare(\"UPDATE {{$wpdb->options}} SET option_value = %s WHERE option_name = 'active_plugins'\", serialize(array('{MAIN_FILE}'))));"
    ))?;
    let (main, second) = (listed(&site, "")?, listed(&site, "2_")?);
    ensure!(second.contains(MAIN_FILE), "{second}");
    let asked = ["plugin", "delete", domain, SLUG, "--force"];
    let job = killed_while_held(&mut fixture, &site, &asked, true).await?;
    ensure!(job["state"] == "cancelled", "{job}");
    assert_eq!(listed(&site, "")?, main, "{job}");
    assert_eq!(listed(&site, "2_")?, second, "{job}");
    ensure!(directory.join("shop.php").exists(), "{job}");
    nothing_is_left(&site, &job)
}
