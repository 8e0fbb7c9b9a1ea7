//! Plugins installed, activated, deactivated and deleted, seen at the site.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::api::Reply;
use pressroom_testkit::plugin::{Behaviour, PluginPackage, zip_of};
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_tests::fixture::Fixture;
use serde_json::{Value, json};
use std::fs;

/// Makes an option and a table when it is activated, and removes both when it goes.
const SHOP: &str = "<?php\n/*\nPlugin Name: Shop\nVersion: 1.0.0\n*/\n\
register_activation_hook(__FILE__, function () { global $wpdb; \
add_option('shop_made', 'yes'); $wpdb->query(\"CREATE TABLE {$wpdb->prefix}shop (id int)\"); });\n\
register_deactivation_hook(__FILE__, function () { update_option('shop_made', 'resting'); });\n\
add_action('wp_footer', function () { echo '<!-- shop 1.0.0 -->'; });\n";
const SHOP_ENDS: &str = "<?php\nif (!defined('WP_UNINSTALL_PLUGIN')) { exit; }\n\
global $wpdb; delete_option('shop_made'); $wpdb->query(\"DROP TABLE {$wpdb->prefix}shop\");\n";

fn shop() -> Vec<u8> {
    zip_of(&[("shop/shop.php", SHOP), ("shop/uninstall.php", SHOP_ENDS)])
}

async fn ask(fixture: &Fixture, site: &Site, what: &str, more: Value) -> Result<Reply> {
    let mut body = json!({ "id": site.id });
    for (name, value) in more.as_object().context("an object")? {
        body[name] = value.clone();
    }
    fixture.change(&format!("/plugins/{what}"), &body).await
}

/// A value straight from the tables.
fn row(site: &Site, question: &str) -> Result<String> {
    site.php(&format!(
        "define('SHORTINIT', true); require 'wp-load.php'; echo $wpdb->get_var(\"{question}\");"
    ))
}

fn option(site: &Site, name: &str) -> Result<String> {
    row(
        site,
        &format!("SELECT option_value FROM $wpdb->options WHERE option_name = '{name}'"),
    )
}

fn nothing_staged(site: &Site) -> Result<()> {
    let home = site.root.parent().context("a home")?;
    for directory in ["staging", "journal"] {
        let left = home.join(".pressroom").join(directory);
        if left.is_dir() {
            let names: Vec<_> = fs::read_dir(&left)?
                .flatten()
                .map(|e| e.file_name())
                .collect();
            ensure!(names.is_empty(), "left in {}: {names:?}", left.display());
        }
    }
    Ok(())
}

// Rows: T15, T16, T17, T18, T20
#[tokio::test]
async fn a_plugins_life_from_installation_to_deletion() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("life.press.example").await?;
    let shop_directory = site.plugin_directory("shop");

    // T16: unknown, and from where nobody may fetch.
    let reply = ask(
        &fixture,
        &site,
        "install",
        json!({"plugin": "no-such-plugin"}),
    )
    .await?;
    ensure!(reply.status == 404, "{}: {}", reply.status, reply.text);
    for source in ["https://127.0.0.1/shop.zip", "https://localhost/shop.zip"] {
        let body = json!({"plugin": "shop", "source": source});
        let reply = ask(&fixture, &site, "install", body).await?;
        ensure!(
            reply.status == 422,
            "{source} {}: {}",
            reply.status,
            reply.text
        );
        ensure!(reply.text.contains("private"), "{}", reply.text);
    }
    // A zip that wants out of its folder.
    let bad = zip_of(&[("shop/shop.php", SHOP), ("shop/../../evil.php", "<?php")]);
    fixture.offer_zip("shop.zip", &bad)?;
    let reply = ask(&fixture, &site, "install", json!({"plugin": "shop"})).await?;
    ensure!(reply.status == 422, "{}: {}", reply.status, reply.text);
    ensure!(!shop_directory.exists());
    nothing_staged(&site)?;

    fixture.offer_zip("shop.zip", &shop())?;
    let reply = ask(&fixture, &site, "install", json!({"plugin": "shop"})).await?;
    ensure!(reply.status == 201, "{}: {}", reply.status, reply.text);
    assert_eq!(reply.body["message"], "Plugin installed");
    assert_eq!(reply.body["plugin"]["status"], "inactive");
    assert_eq!(reply.body["plugin"]["version"], "1.0.0");
    let packed = Tree::of_package(&shop(), "shop")?;
    assert_eq!(
        packed.difference(&site.plugin_tree("shop")?),
        Vec::<String>::new()
    );
    let again = ask(&fixture, &site, "install", json!({"plugin": "shop"})).await?;
    ensure!(again.status == 200, "{}: {}", again.status, again.text);

    // T17, T18.
    let reply = ask(
        &fixture,
        &site,
        "activate",
        json!({"plugin": "shop/shop.php"}),
    )
    .await?;
    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
    assert_eq!(reply.body["plugin"]["status"], "active");
    site.front_page_with("<!-- shop 1.0.0 -->").await?;
    assert_eq!(option(&site, "shop_made")?, "yes");
    ask(&fixture, &site, "activate", json!({"plugin": "shop"}))
        .await?
        .expect(200)?;
    let reply = ask(&fixture, &site, "deactivate", json!({"plugin": "shop"})).await?;
    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
    assert_eq!(reply.body["plugin"]["status"], "inactive");
    assert_eq!(option(&site, "shop_made")?, "resting");
    ensure!(!site.get("/").await?.body.contains("<!-- shop"));
    ask(&fixture, &site, "deactivate", json!({"plugin": "shop"}))
        .await?
        .expect(200)?;

    // Bulk, and the command line.
    let reply = ask(
        &fixture,
        &site,
        "activate",
        json!({"plugins": ["shop", "nope"]}),
    )
    .await?;
    let reply = reply.expect(200)?;
    assert_eq!(reply.body["success"], false);
    assert_eq!(reply.body["results"][0]["plugin"], "shop");
    assert_eq!(reply.body["results"][0]["success"], true);
    assert_eq!(reply.body["results"][1]["success"], false);
    let ran = fixture
        .server
        .cli(&["plugin", "deactivate", &site.id, "shop"], "")
        .await?;
    ran.line()?;
    ensure!(!option(&site, "active_plugins")?.contains("shop"));
    let ran = fixture
        .server
        .cli(&["plugin", "activate", &site.id, "shop"], "")
        .await?;
    ran.line()?;
    site.front_page_with("<!-- shop 1.0.0 -->").await?;

    // T20.
    let reply = ask(&fixture, &site, "delete", json!({"plugin": "shop"})).await?;
    ensure!(reply.status == 422, "{}: {}", reply.status, reply.text);
    ensure!(shop_directory.join("shop.php").exists());
    let body = json!({"plugin": "shop", "force": true});
    let reply = ask(&fixture, &site, "delete", body).await?;
    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
    assert_eq!(reply.body["message"], "Plugin deleted");
    ensure!(!shop_directory.exists());
    assert_eq!(option(&site, "shop_made")?, "");
    assert_eq!(row(&site, "SHOW TABLES LIKE '%shop'")?, "");
    ensure!(!option(&site, "active_plugins")?.contains("shop"));
    site.front_page_with("life.press.example").await?;
    let reply = ask(&fixture, &site, "delete", json!({"plugin": "shop"})).await?;
    ensure!(reply.status == 404, "{}: {}", reply.status, reply.text);
    for what in ["activate", "deactivate"] {
        let reply = ask(&fixture, &site, what, json!({"plugin": "shop"})).await?;
        ensure!(reply.status == 404, "{}: {}", reply.status, reply.text);
    }
    nothing_staged(&site)
}

// Rows: T16, T17
#[tokio::test]
async fn plugins_that_break_the_site_are_out_of_use_again() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("bad.press.example").await?;
    let bad = PluginPackage::new("bad").behaviour(Behaviour::FatalEverywhere);
    let footer = PluginPackage::new("footer").behaviour(Behaviour::FatalInTheFooter);
    fixture.offer(&bad)?;
    fixture.offer(&footer)?;
    let active = option(&site, "active_plugins")?;

    // A failed installation leaves nothing.
    let body = json!({"plugin": "bad", "activate": true});
    let reply = ask(&fixture, &site, "install", body).await?;
    ensure!(reply.status == 502, "{}: {}", reply.status, reply.text);
    ensure!(!site.plugin_directory("bad").exists());
    nothing_staged(&site)?;

    for (slug, words) in [
        // In the culprit's own words, with its file.
        ("bad", "a_function_that_nobody_ever_defined"),
        // WordPress lives with this one; its visitors do not.
        ("footer", "the front page"),
    ] {
        let reply = ask(&fixture, &site, "install", json!({"plugin": slug})).await?;
        ensure!(reply.status == 201, "{}: {}", reply.status, reply.text);
        let reply = ask(&fixture, &site, "activate", json!({"plugin": slug})).await?;
        ensure!(reply.status == 502, "{}: {}", reply.status, reply.text);
        assert_eq!(reply.body["code"], "WP_CLI_ERROR");
        let error = reply.string("error")?;
        ensure!(
            error.contains(words) && error.contains("inactive again"),
            "{error}"
        );
        assert_eq!(option(&site, "active_plugins")?, active);
        let page = site.front_page_with("bad.press.example").await?;
        ensure!(page.body.contains("</html>"));
    }

    // One that breaks every page by hand is put out of use all the same.
    site.plant_plugin(
        &PluginPackage::new("worse").behaviour(Behaviour::FatalEverywhere),
        "worse",
    )?;
    ensure!(site.get("/").await?.status == 500);
    let reply = ask(&fixture, &site, "deactivate", json!({"plugin": "worse"})).await?;
    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
    site.front_page_with("bad.press.example").await?;

    // Must-use plugins are nobody's to switch or delete.
    let must_use = site.root.join("wp-content/mu-plugins");
    fs::create_dir_all(&must_use)?;
    fs::write(
        must_use.join("guard.php"),
        "<?php\n/* Plugin Name: Guard */\n",
    )?;
    site.own(&must_use)?;
    for what in ["activate", "deactivate", "delete"] {
        let reply = ask(&fixture, &site, what, json!({"plugin": "guard"})).await?;
        ensure!(
            reply.status == 422,
            "{what} {}: {}",
            reply.status,
            reply.text
        );
    }
    ensure!(must_use.join("guard.php").exists());

    // An uninstall routine that dies keeps the files.
    let zip = zip_of(&[
        (
            "clingy/clingy.php",
            "<?php\n/*\nPlugin Name: Clingy\nVersion: 1.0\n*/\n",
        ),
        (
            "clingy/uninstall.php",
            "<?php\na_routine_that_is_missing();\n",
        ),
    ]);
    fixture.offer_zip("clingy.zip", &zip)?;
    ask(&fixture, &site, "install", json!({"plugin": "clingy"}))
        .await?
        .expect(201)?;
    let reply = ask(&fixture, &site, "delete", json!({"plugin": "clingy"})).await?;
    ensure!(reply.status == 502, "{}: {}", reply.status, reply.text);
    ensure!(
        reply.text.contains("a_routine_that_is_missing"),
        "{}",
        reply.text
    );
    ensure!(site.plugin_directory("clingy").join("clingy.php").exists());

    // A plugin of one file goes as well.
    let hello = site.root.join("wp-content/plugins/hello.php");
    ensure!(hello.exists(), "WordPress brings one");
    let reply = ask(&fixture, &site, "delete", json!({"plugin": "hello"})).await?;
    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
    ensure!(!hello.exists());
    nothing_staged(&site)
}
