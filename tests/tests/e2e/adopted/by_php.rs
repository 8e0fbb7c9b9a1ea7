//! A host on which no agent runs: what PHP can do is done, the rest is refused with the
//! reason and changes nothing. What is found here is the table of `docs/hosts.md`.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::{
    plugin::{Behaviour, PluginPackage},
    tree::Tree,
};
use pressroom_tests::adopted::World;
use serde_json::Value;
use std::{fmt::Write, fs, path::PathBuf};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/hosts.md");
const BEGIN: &str = "<!-- operations by way -->\n";
const END: &str = "<!-- end -->";

/// An operation: what it is called, and how it is asked for where `SITE` is the site.
type Operation = (&'static str, &'static [&'static str]);

/// What PHP can do, in this order.
const DONE: [Operation; 18] = [
    (
        "`site show`, and the inventory behind it",
        &["site", "show", "SITE"],
    ),
    (
        "`plugin activate`",
        &["plugin", "activate", "SITE", "greeting"],
    ),
    ("`plugin install`", &["plugin", "install", "SITE", "fresh"]),
    ("`plugin update`", &["plugin", "update", "SITE", "greeting"]),
    (
        "`plugin deactivate`",
        &["plugin", "deactivate", "SITE", "greeting"],
    ),
    ("`plugin delete`", &["plugin", "delete", "SITE", "fresh"]),
    ("`theme activate`", &["theme", "activate", "SITE", "other"]),
    (
        "`theme delete`",
        &["theme", "delete", "SITE", "twentytwentyfour"],
    ),
    ("`site verify`", &["site", "verify", "SITE"]),
    ("`site reinstall-core`", &["site", "reinstall-core", "SITE"]),
    ("`cache flush`", &["cache", "flush", "SITE"]),
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

/// What reads or keeps all tables, or edits the configuration.
const REFUSED: [Operation; 5] = [
    (
        "`site update-core`",
        &["site", "update-core", "SITE", "--version", "6.5.5"],
    ),
    (
        "`site search-replace`",
        &["site", "search-replace", "SITE", "Hello", "Bye"],
    ),
    (
        "`site export`",
        &["site", "export", "SITE", "/tmp/never.sql"],
    ),
    ("`snapshot create`", &["snapshot", "create", "SITE"]),
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
        if name.contains("reinstall") {
            fs::write(stray(world), "<?php // somebody left it")?;
            fs::remove_file(world.hosted.root.join("wp-admin/about.php"))?;
        }
        let done = world.server.cli(&said(world, words), "").await?;
        ensure!(done.code == 0, "{name}: {done:?}");
        seen(world, name, &done.stdout).await?;
    }
    taken_back(world).await?;
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
        "`plugin install`" => {
            let main = fs::read(world.plugin("fresh").join("fresh.php"))?;
            let package = PluginPackage::new("fresh").contents();
            ensure!(package[0].1 == main, "it is not the package's");
            world.page_with("/", "planted greeting").await
        }
        "`plugin update`" => {
            let main = fs::read_to_string(world.plugin("greeting").join("greeting.php"))?;
            ensure!(main.contains("1.1.0"), "{main}");
            let page = world.page("/").await?;
            ensure!(page.contains("<!-- greeting 1.1.0 -->"), "{page}");
            ensure!(!page.contains("planted greeting"), "{page}");
            Ok(())
        }
        "`plugin deactivate`" => {
            let page = world.page("/").await?;
            ensure!(!page.contains("<!-- greeting"), "{page}");
            Ok(())
        }
        "`plugin delete`" => {
            ensure!(!world.plugin("fresh").exists());
            world.page_with("/", "Lab").await
        }
        "`theme delete`" => {
            let themes = world.hosted.root.join("wp-content/themes");
            ensure!(!themes.join("twentytwentyfour").exists());
            world.page_with("/", "the other theme: Lab").await
        }
        "`site verify`" => verified(world).await,
        "`site reinstall-core`" => {
            ensure!(!stray(world).exists(), "what is no part of it is there");
            ensure!(world.hosted.root.join("wp-admin/about.php").is_file());
            world.page_with("/", "the other theme: Lab").await
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

/// A file in a directory of WordPress that no package has.
fn stray(world: &World) -> PathBuf {
    world.hosted.root.join("wp-includes/stray.php")
}

/// What is as its package has it is clean, and what is not is told.
async fn verified(world: &World) -> Result<()> {
    let load = world.hosted.root.join("wp-includes/load.php");
    let kept = fs::read(&load)?;
    for (text, verdict) in [(&b"<?php // another's"[..], "differs"), (&kept, "clean")] {
        fs::write(&load, text)?;
        let words = ["--json", "site", "verify", &world.site];
        let done = world.server.cli(&words, "").await?;
        let said: Value = serde_json::from_str(&done.stdout)?;
        let subjects = said["subjects"].as_array().context("subjects")?;
        let of = |slug: &str| subjects.iter().find(|one| one["slug"] == slug);
        let core = of("wordpress").context("core")?;
        ensure!(core["verdict"] == verdict, "{said}");
        let greeting = of("greeting").context("the plugin")?;
        ensure!(greeting["verdict"] == "clean", "{said}");
    }
    Ok(())
}

/// A version that breaks the site goes back, byte for byte.
async fn taken_back(world: &World) -> Result<()> {
    let site = world.site.as_str();
    let broken = PluginPackage::new("greeting").version("1.2.0");
    world.offer(&broken.behaviour(Behaviour::FatalEverywhere))?;
    world.cli(&["plugin", "activate", site, "greeting"]).await?;
    let before = Tree::of_directory(&world.plugin("greeting"))?;
    let words = ["plugin", "update", site, "greeting"];
    let done = world.server.cli(&words, "").await?;
    ensure!(done.code != 0, "{done:?}");
    let now = Tree::of_directory(&world.plugin("greeting"))?;
    ensure!(before.hash() == now.hash(), "{:?}", before.difference(&now));
    world.page_with("/", "<!-- greeting 1.1.0 -->").await?;
    let staging = fs::read_dir(world.owner().join(".pressroom/staging"))?;
    ensure!(staging.count() == 0, "something is left beside the site");
    Ok(())
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
