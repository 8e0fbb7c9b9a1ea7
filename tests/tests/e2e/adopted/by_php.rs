//! A host on which no agent runs: what PHP can do is done, the rest is refused with the
//! reason and changes nothing. What is found here is the table of `docs/hosts.md`.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{plugin::PluginPackage, tree::Tree};
use pressroom_tests::adopted::World;
use std::{fmt::Write, fs};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/hosts.md");
const BEGIN: &str = "<!-- operations by way -->\n";
const END: &str = "<!-- end -->";

/// An operation: what it is called, and how it is asked for where `SITE` is the site.
type Operation = (&'static str, &'static [&'static str]);

/// What needs PHP and the tables only.
const DONE: [Operation; 11] = [
    (
        "`site show`, and the inventory behind it",
        &["site", "show", "SITE"],
    ),
    (
        "`plugin activate`",
        &["plugin", "activate", "SITE", "greeting"],
    ),
    (
        "`plugin deactivate`",
        &["plugin", "deactivate", "SITE", "greeting"],
    ),
    ("`theme activate`", &["theme", "activate", "SITE", "other"]),
    ("`site user list`", &["site", "user", "list", "SITE"]),
    (
        "`site user add`",
        &["site", "user", "add", "SITE", "ops", "ops@press.example"],
    ),
    (
        "`site user reset-password`",
        &["site", "user", "reset-password", "SITE", "ops"],
    ),
    (
        "`site maintenance on`",
        &["site", "maintenance", "on", "SITE"],
    ),
    (
        "`site maintenance off`",
        &["site", "maintenance", "off", "SITE"],
    ),
    (
        "`run`",
        &["run", "--on", "all", "--", "sh", "-c", "echo in $PWD"],
    ),
    ("`site tag`", &["site", "tag", "add", "SITE", "old-host"]),
];

/// What exchanges files, or reads all of them or all tables.
const REFUSED: [Operation; 12] = [
    ("`plugin install`", &["plugin", "install", "SITE", "fresh"]),
    ("`plugin update`", &["plugin", "update", "SITE", "greeting"]),
    ("`plugin delete`", &["plugin", "delete", "SITE", "greeting"]),
    (
        "`theme delete`",
        &["theme", "delete", "SITE", "twentytwentyfour"],
    ),
    (
        "`site update-core`",
        &["site", "update-core", "SITE", "--version", "6.5.5"],
    ),
    ("`site reinstall-core`", &["site", "reinstall-core", "SITE"]),
    ("`site verify`", &["site", "verify", "SITE"]),
    (
        "`site search-replace`",
        &["site", "search-replace", "SITE", "Hello", "Bye"],
    ),
    (
        "`site export`",
        &["site", "export", "SITE", "/tmp/never.sql"],
    ),
    ("`snapshot create`", &["snapshot", "create", "SITE"]),
    ("`cache flush`", &["cache", "flush", "SITE"]),
    (
        "`security file-editing`",
        &["security", "file-editing", "SITE", "off"],
    ),
];

pub async fn what_is_there(world: &World, why: &str) -> Result<()> {
    let doctor = world.server.cli(&["doctor"], "").await?;
    ensure!(
        doctor.stdout.contains("by PHP alone") && doctor.stdout.contains(why),
        "{doctor:?}"
    );
    for version in ["1.0.0", "1.1.0"] {
        world.offer(&PluginPackage::new("greeting").version(version))?;
    }
    world.offer(&PluginPackage::new("fresh"))?;
    plant(world)?;
    for (name, words) in DONE {
        let done = world.server.cli(&said(world, words), "").await?;
        ensure!(done.code == 0, "{name}: {done:?}");
        seen(world, name, &done.stdout).await?;
    }
    let files = Tree::of_directory(&world.hosted.root)?;
    // What WordPress writes when it is visited is not what is asked about.
    let rows = || {
        let statement = "CHECKSUM TABLE wp_posts, wp_users, wp_usermeta, wp_terms";
        world.hosted.database.sql(statement)
    };
    let tables = rows()?;
    for (name, words) in REFUSED {
        let done = world.server.cli(&said(world, words), "").await?;
        ensure!(done.code != 0, "{name}: {done:?}");
        let told = format!("{}{}", done.stdout, done.stderr);
        ensure!(
            told.contains("needs an agent") && told.contains(why),
            "{name}: {told}"
        );
        let now = Tree::of_directory(&world.hosted.root)?;
        ensure!(
            now.hash() == files.hash(),
            "{name}: {:?}",
            files.difference(&now)
        );
    }
    ensure!(rows()? == tables);
    world.page_with("/", "Lab").await?;
    world.is_its_owners()?;
    let agents = fs::read_dir(world.owner().join(".pressroom"));
    let agents = agents.map(|entries| {
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("agent"))
            .count()
    });
    ensure!(
        agents.unwrap_or(0) == 0,
        "an agent was left where it cannot run"
    );
    table()
}

fn said<'a>(world: &'a World, words: &[&'a str]) -> Vec<&'a str> {
    let site = world.site.as_str();
    words
        .iter()
        .map(|word| if *word == "SITE" { site } else { word })
        .collect()
}

/// A plugin and a theme that somebody put there by hand.
fn plant(world: &World) -> Result<()> {
    let content = "www/wp-content";
    let plugin = "<?php\n/* Plugin Name: Greeting\nVersion: 1.0.0 */\nadd_action('wp_footer', function () { echo 'planted greeting'; });";
    world
        .login
        .write(&format!("{content}/plugins/greeting/greeting.php"), plugin)?;
    let style = "/*\nTheme Name: Other\nVersion: 1\n*/";
    world
        .login
        .write(&format!("{content}/themes/other/style.css"), style)?;
    let index = "<!DOCTYPE html><html><body>the other theme: <?php bloginfo('name'); wp_footer(); ?></body></html>";
    world
        .login
        .write(&format!("{content}/themes/other/index.php"), index)?;
    Ok(())
}

/// What an operation has done, at the site.
async fn seen(world: &World, name: &str, stdout: &str) -> Result<()> {
    let sql = |statement| world.hosted.database.sql(statement);
    match name {
        "`plugin activate`" => world.page_with("/", "planted greeting").await,
        "`plugin deactivate`" => {
            let page = world.page("/").await?;
            ensure!(!page.contains("planted greeting"), "{page}");
            Ok(())
        }
        "`theme activate`" => world.page_with("/", "the other theme: Lab").await,
        "`site user add`" => {
            let rows = sql("SELECT COUNT(*) FROM wp_users WHERE user_email = 'ops@press.example'")?;
            ensure!(rows.trim() == "1", "{rows}");
            Ok(())
        }
        "`site maintenance on`" => world.page_with("/", "Briefly unavailable").await,
        "`site maintenance off`" => world.page_with("/", "Lab").await,
        "`run`" => {
            let root = world.hosted.root.display().to_string();
            ensure!(stdout.contains(&format!("in {root}")), "{stdout}");
            Ok(())
        }
        _ => {
            ensure!(!stdout.is_empty(), "{name} says nothing");
            Ok(())
        }
    }
}

/// The documentation says what was found; `PRESSROOM_BLESS` makes it so.
fn table() -> Result<()> {
    let mut table = String::from("| operation | agent | PHP alone |\n| --- | --- | --- |\n");
    for (name, _) in DONE {
        writeln!(table, "| {name} | yes | yes |")?;
    }
    for (name, _) in REFUSED {
        writeln!(table, "| {name} | yes | refused |")?;
    }
    let page = fs::read_to_string(TABLE)?;
    let (before, rest) = page.split_once(BEGIN).context("a place for the table")?;
    let (stands, after) = rest.split_once(END).context("the table's end")?;
    if std::env::var_os("PRESSROOM_BLESS").is_some() {
        fs::write(TABLE, format!("{before}{BEGIN}{table}{END}{after}"))?;
        return Ok(());
    }
    ensure!(
        stands == table,
        "docs/hosts.md says otherwise; with PRESSROOM_BLESS=1 it is written anew"
    );
    Ok(())
}
