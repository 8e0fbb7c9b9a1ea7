//! Plugins that are one file, directly in the directory of plugins.

use anyhow::{Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::plugin::zip_of;
use pressroom_testkit::site::Site;
use pressroom_tests::fixture::Fixture;
use std::fs;

const HELLO: &str = "wp-content/plugins/hello.php";

fn hello(version: &str, code: &str) -> String {
    format!(
        "<?php\n/**\n * Plugin Name: Hello Dolly\n * Version: {version}\n */\n\
         add_action('wp_footer', function () {{ echo '<!-- hello {version} -->'; }});\n{code}\n"
    )
}

fn offer(fixture: &Fixture, version: &str, code: &str) -> Result<String> {
    let file = hello(version, code);
    let zip = zip_of(&[
        ("hello-dolly/hello.php", &file),
        ("hello-dolly/readme.txt", "=== Hello Dolly ==="),
    ]);
    fixture.offer_zip(&format!("hello-dolly.{version}.zip"), &zip)?;
    Ok(file)
}

fn active_plugins(site: &Site) -> Result<String> {
    site.php(
        "define('SHORTINIT', true); require 'wp-load.php'; \
         echo $wpdb->get_var(\"SELECT option_value FROM $wpdb->options WHERE option_name = 'active_plugins'\");",
    )
}

// Rows: T19
#[tokio::test]
async fn a_plugin_of_one_file_is_updated_and_taken_back() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("hello.press.example").await?;
    let file = site.root.join(HELLO);
    fs::write(&file, hello("1.0.0", ""))?;
    let note = site.root.join("wp-content/plugins/note.php");
    fs::write(&note, "<?php\n/* Plugin Name: Note\nVersion: 1.0 */\n")?;
    site.own(&site.root.join("wp-content/plugins"))?;
    site.php(
        "require 'wp-load.php'; require 'wp-admin/includes/plugin.php'; \
         activate_plugin('hello.php');",
    )?;
    site.front_page_with("<!-- hello 1.0.0 -->").await?;
    let active = active_plugins(&site)?;

    // The repository knows it under another name than its file's.
    let new = offer(&fixture, "2.0.0", "")?;
    for name in ["hello", "hello.php"] {
        let reply = fixture.update_plugin(&site, name).await?.expect(200)?;
        assert_eq!(reply.body["new_version"], "2.0.0", "{}", reply.text);
        assert_eq!(reply.body["plugin"]["slug"], "hello");
        assert_eq!(reply.body["plugin"]["status"], "active");
    }
    assert_eq!(fs::read_to_string(&file)?, new);
    assert_eq!(active_plugins(&site)?, active);
    site.front_page_with("<!-- hello 2.0.0 -->").await?;
    ensure!(
        !site.root.join("wp-content/plugins/readme.txt").exists()
            && !site.root.join("wp-content/plugins/hello-dolly").exists()
    );

    // One that breaks the site goes back, byte for byte.
    offer(&fixture, "3.0.0", "a_function_that_nobody_ever_defined();")?;
    let reply = fixture.update_plugin(&site, "hello").await?;
    ensure!(reply.status == 502, "{}: {}", reply.status, reply.text);
    ensure!(reply.text.contains("3.0.0"), "{}", reply.text);
    assert_eq!(fs::read_to_string(&file)?, new);
    assert_eq!(active_plugins(&site)?, active);
    site.front_page_with("<!-- hello 2.0.0 -->").await?;

    // Nobody knows this one: that is not "the newest".
    let reply = fixture.update_plugin(&site, "note").await?;
    ensure!(
        reply.status == 502 && reply.text.contains("not known"),
        "{}: {}",
        reply.status,
        reply.text
    );
    Ok(())
}
