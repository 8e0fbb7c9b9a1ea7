//! Themes installed, switched, updated and deleted, seen at the site.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::api::Reply;
use pressroom_testkit::plugin::zip_of;
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_tests::fixture::Fixture;
use serde_json::{Value, json};
use std::fs;

fn theme(slug: &str, version: &str, parent: Option<&str>, functions: &str) -> Vec<u8> {
    let parent = parent
        .map(|parent| format!("Template: {parent}\n"))
        .unwrap_or_default();
    let style = format!("/*\nTheme Name: {slug}\nVersion: {version}\n{parent}*/\n");
    let index = "<?php ?><!DOCTYPE html><html><head><?php wp_head(); ?></head><body>\
                 <?php wp_footer(); ?></body></html>";
    let functions = format!(
        "<?php\nadd_action('wp_footer', function () {{ echo '<!-- {slug} {version} -->'; }});\n{functions}\n"
    );
    let path = |name: &str| format!("{slug}/{name}");
    let (style_path, index_path, functions_path) =
        (path("style.css"), path("index.php"), path("functions.php"));
    let mut files = vec![
        (style_path.as_str(), style.as_str()),
        (functions_path.as_str(), functions.as_str()),
    ];
    if parent.is_empty() {
        files.push((index_path.as_str(), index));
    }
    zip_of(&files)
}

async fn ask(fixture: &Fixture, site: &Site, what: &str, more: Value) -> Result<Reply> {
    let mut body = json!({ "id": site.id });
    for (name, value) in more.as_object().context("an object")? {
        body[name] = value.clone();
    }
    fixture.change(&format!("/themes/{what}"), &body).await
}

async fn list(fixture: &Fixture, site: &Site) -> Result<Vec<Value>> {
    let reply = fixture
        .get(&format!("/themes?id={}", site.id))
        .await?
        .expect(200)?;
    reply.body.as_array().cloned().context("a bare array")
}

fn of<'a>(themes: &'a [Value], slug: &str) -> Result<&'a Value> {
    let found = themes.iter().find(|theme| theme["slug"] == slug);
    found.with_context(|| format!("no `{slug}` in {themes:?}"))
}

/// By the tables, running no theme.
fn active(site: &Site) -> Result<String> {
    site.php(
        "define('SHORTINIT', true); require 'wp-load.php'; \
         echo $wpdb->get_var(\"SELECT option_value FROM $wpdb->options WHERE option_name = 'stylesheet'\");",
    )
}

// Rows: T21, T22, T23, T24, T25, T26
#[tokio::test]
async fn a_themes_life_from_installation_to_deletion() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("themes.press.example").await?;
    let directory = |slug: &str| site.root.join("wp-content/themes").join(slug);
    let default = active(&site)?;
    ensure!(default.starts_with("twenty"), "{default}");

    // T22: a child needs its parent, and leaves nothing without it.
    fixture.offer_zip("child.zip", &theme("child", "1.0", Some("plain"), ""))?;
    let reply = ask(&fixture, &site, "install", json!({"theme": "child"})).await?;
    ensure!(
        reply.status == 422 && reply.text.contains("`plain`"),
        "{}",
        reply.text
    );
    ensure!(!directory("child").exists());
    fixture.offer_zip("plain.zip", &theme("plain", "1.0", None, ""))?;
    for slug in ["plain", "child"] {
        let reply = ask(&fixture, &site, "install", json!({"theme": slug})).await?;
        ensure!(reply.status == 201, "{}: {}", reply.status, reply.text);
        assert_eq!(reply.body["message"], "Theme installed");
        assert_eq!(reply.body["theme"]["status"], "inactive");
        ask(&fixture, &site, "install", json!({"theme": slug}))
            .await?
            .expect(200)?;
    }
    let packed = Tree::of_package(&theme("plain", "1.0", None, ""), "plain")?;
    let there = Tree::of_directory(&directory("plain"))?;
    assert_eq!(packed.difference(&there), Vec::<String>::new());

    // T23, T21.
    let reply = ask(&fixture, &site, "activate", json!({"theme": "child"})).await?;
    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
    assert_eq!(reply.body["active_theme"], "child");
    site.front_page_with("<!-- child 1.0 -->").await?;
    let themes = list(&fixture, &site).await?;
    assert_eq!(of(&themes, "child")?["status"], "active");
    assert_eq!(of(&themes, "child")?["parent"], "plain");
    assert_eq!(of(&themes, "plain")?["status"], "parent");
    assert_eq!(of(&themes, &default)?["status"], "inactive");

    // T26: neither the active one nor its parent.
    for slug in ["child", "plain"] {
        let reply = ask(&fixture, &site, "delete", json!({"theme": slug})).await?;
        ensure!(reply.status == 422, "{}: {}", reply.status, reply.text);
        ensure!(directory(slug).join("style.css").exists());
    }

    // T25: updated, and taken back.
    let good = theme("plain", "2.0", None, "");
    fixture.offer_zip("plain-2.zip", &good)?;
    let reply = ask(&fixture, &site, "update", json!({"theme": "plain"})).await?;
    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
    assert_eq!(reply.body["old_version"], "1.0");
    assert_eq!(reply.body["new_version"], "2.0");
    assert_eq!(reply.body["theme"]["version"], "2.0");
    site.front_page_with("<!-- plain 2.0 -->").await?;
    let before = Tree::of_directory(&directory("plain"))?;
    let bad = theme(
        "plain",
        "3.0",
        None,
        "a_function_that_nobody_ever_defined();",
    );
    fixture.offer_zip("plain-3.zip", &bad)?;
    let reply = ask(&fixture, &site, "update", json!({"theme": "plain"})).await?;
    ensure!(
        reply.status == 502 && reply.text.contains("3.0"),
        "{}",
        reply.text
    );
    assert_eq!(
        before.hash(),
        Tree::of_directory(&directory("plain"))?.hash()
    );
    site.front_page_with("<!-- plain 2.0 -->").await?;

    // T24: the newest default theme takes its place.
    let reply = ask(&fixture, &site, "deactivate", json!({"theme": "child"})).await?;
    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text);
    assert_eq!(reply.body["active_theme"], default.as_str());
    assert_eq!(reply.body["theme"]["status"], "inactive");
    assert_eq!(active(&site)?, default);
    let reply = ask(&fixture, &site, "deactivate", json!({"theme": "child"})).await?;
    assert_eq!(reply.expect(200)?.body["active_theme"], default.as_str());

    let reply = ask(
        &fixture,
        &site,
        "delete",
        json!({"themes": ["child", "plain", "nope"]}),
    );
    let reply = reply.await?.expect(200)?;
    assert_eq!(reply.body["success"], false);
    ensure!(!directory("child").exists() && !directory("plain").exists());
    assert_eq!(reply.body["results"][2]["theme"], "nope");
    assert_eq!(reply.body["results"][2]["success"], false);
    let reply = ask(&fixture, &site, "activate", json!({"theme": "plain"})).await?;
    ensure!(reply.status == 404, "{}: {}", reply.status, reply.text);
    Ok(())
}

// Rows: T23
#[tokio::test]
async fn a_theme_that_breaks_the_site_is_switched_back() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("broken.press.example").await?;
    let themes = site.root.join("wp-content/themes");
    let default = active(&site)?;
    let fatal = theme(
        "fatal",
        "1.0",
        None,
        "a_function_that_nobody_ever_defined();",
    );
    fixture.offer_zip("fatal.zip", &fatal)?;
    let body = json!({"theme": "fatal", "activate": true});
    let reply = ask(&fixture, &site, "install", body).await?;
    ensure!(reply.status == 502, "{}: {}", reply.status, reply.text);
    ensure!(!themes.join("fatal").exists());
    assert_eq!(active(&site)?, default);

    ask(&fixture, &site, "install", json!({"theme": "fatal"}))
        .await?
        .expect(201)?;
    let reply = ask(&fixture, &site, "activate", json!({"theme": "fatal"})).await?;
    ensure!(reply.status == 502, "{}: {}", reply.status, reply.text);
    let error = reply.string("error")?;
    ensure!(
        error.contains("a_function_that_nobody_ever_defined"),
        "{error}"
    );
    assert_eq!(active(&site)?, default);
    site.front_page_with("broken.press.example").await?;

    // A child whose parent went away by hand.
    fixture.offer_zip("plain.zip", &theme("plain", "1.0", None, ""))?;
    fixture.offer_zip("child.zip", &theme("child", "1.0", Some("plain"), ""))?;
    for slug in ["plain", "child"] {
        ask(&fixture, &site, "install", json!({"theme": slug}))
            .await?
            .expect(201)?;
    }
    fs::remove_dir_all(themes.join("plain"))?;
    let reply = ask(&fixture, &site, "activate", json!({"theme": "child"})).await?;
    ensure!(
        reply.status == 422 && reply.text.contains("`plain`"),
        "{}",
        reply.text
    );
    assert_eq!(active(&site)?, default);

    // Without another default theme there is nothing to switch to.
    for entry in fs::read_dir(&themes)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("twenty") && name != default {
            fs::remove_dir_all(entry.path())?;
        }
    }
    let reply = ask(&fixture, &site, "deactivate", json!({"theme": default})).await?;
    ensure!(reply.status == 409, "{}: {}", reply.status, reply.text);
    assert_eq!(active(&site)?, default);
    site.front_page_with("broken.press.example").await?;
    Ok(())
}
