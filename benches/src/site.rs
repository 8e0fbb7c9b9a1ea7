//! The site that is measured: WordPress 6.5 with 40 plugins and 200 MB of tables.

use anyhow::{Context, Result};
use pressroom_carrier::{Local, Place, SiteUser, Way};
use pressroom_lab::{Mariadb, Site, Wordpress};
use std::{
    ffi::OsString,
    fmt::Write as _,
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

/// Plugins, as many as a busy site has.
pub const PLUGINS: usize = 40;
/// Whom the site belongs to where we are root: the agent refuses to run as root.
const OWNER: u32 = 65_534;

/// A server of databases that keeps what it is given, as MariaDB is where nobody
/// changed it: the one that tests use does not wait for the disk.
pub fn database_server() -> Result<()> {
    let durable = [
        "--innodb-flush-log-at-trx-commit=1",
        "--innodb-flush-method=O_DIRECT",
        "--innodb-doublewrite=ON",
    ];
    Mariadb::of_process_with("1G", "256M", &durable)?;
    Ok(())
}

/// The site with its plugins; its tables are as WordPress made them.
pub fn with_plugins() -> Result<Site> {
    database_server()?;
    let site = Site::new(Wordpress::V6_5)?;
    for number in 0..PLUGINS {
        plugin(&site, number)?;
    }
    let active: Vec<String> = (0..30)
        .map(|number| format!("'{}'", main_file(number)))
        .collect();
    site.php(&format!(
        "update_option('active_plugins', array({}));",
        active.join(",")
    ))?;
    give_away(site.home())?;
    Ok(site)
}

/// Where a session with a site of ours is opened.
pub fn place(home: &Path) -> Result<Place> {
    let root = rustix::process::geteuid().is_root();
    Ok(Place {
        home: home.to_owned(),
        way: Way::Local(Local {
            run_as: root.then(|| SiteUser {
                name: "nobody".into(),
                uid: OWNER,
                gid: OWNER,
            }),
            agent: vec![agent()?.into_os_string(), OsString::from("serve")],
        }),
    })
}

/// Makes a command run as the site's user, where we are root.
pub fn as_owner(command: &mut Command) {
    if rustix::process::geteuid().is_root() {
        command.uid(OWNER).gid(OWNER);
    }
}

/// The agent beside this program.
pub fn agent() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.with_file_name("pressroom-agent"))
}

/// Gives everything below to the site's user.
pub fn give_away(path: &Path) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    chown(path, Some(OWNER), Some(OWNER))?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            give_away(&entry.path())?;
        } else if entry.file_type()?.is_file() {
            chown(entry.path(), Some(OWNER), Some(OWNER))?;
        }
    }
    Ok(())
}

fn main_file(number: usize) -> String {
    format!("bench-{number}/bench-{number}.php")
}

/// About 140 files and 1.4 MB: sources, translations, a vendor directory.
fn plugin(site: &Site, number: usize) -> Result<()> {
    let base = format!("wp-content/plugins/bench-{number}");
    site.write(
        &format!("{base}/bench-{number}.php"),
        format!(
            "<?php\n/**\n * Plugin Name: Bench {number}\n * Version: 1.{number}.0\n * Author: Bench\n \
             * Description: One of many.\n * Requires at least: 5.0\n * Requires PHP: 7.4\n */\n"
        ),
    )?;
    for file in 0..90 + number * 3 {
        let directory = ["src", "vendor/acme/lib", "languages", "assets/js"][file % 4];
        let mut text = format!("<?php // {number} {file}\n");
        while text.len() < 2_000 + (file * 7919 + number * 104_729) % 16_000 {
            let _ = writeln!(text, "$value_{} = {};", text.len(), text.len() * 31 + file);
        }
        site.write(&format!("{base}/{directory}/file-{file}.php"), text)?;
    }
    Ok(())
}

/// What the 200 MB of tables are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    /// 5,000 posts and 60,000 metas of 2.7 kB such as page builders keep: nested
    /// serialized arrays, half of them with the site's address in four of eight places.
    Pages,
    /// 20,000 posts and 300,000 metas of 200 to 300 bytes: plain texts, serialized
    /// values, JSON; a third of the metas with the site's address.
    Rows,
}

/// Fills the tables to about 200 MB.
pub fn fill_database(site: &Site, filling: Filling) -> Result<()> {
    let p = &site.prefix;
    let (posts, words, metas) = match filling {
        Filling::Pages => (5_000, 240, 60_000),
        Filling::Rows => (20_000, 110, 300_000),
    };
    let meta = match filling {
        Filling::Pages => page(),
        Filling::Rows => ROW.to_owned(),
    };
    site.database.sql(&format!(
        "SET SESSION unique_checks=0, foreign_key_checks=0;
         INSERT INTO {p}posts (post_author, post_date, post_date_gmt, post_content, post_title, post_excerpt, to_ping, pinged, post_content_filtered, post_name, post_modified, post_modified_gmt, guid, post_type)
         SELECT 1, '2024-01-01 00:00:00', '2024-01-01 00:00:00',
           CONCAT('<p>', REPEAT(CONCAT('word', seq, ' lorem ipsum dolor sit amet '), {words} + seq MOD 60), IF(seq MOD 4 = 0, '<a href=\"http://example.test/page/', '<a href=\"https://elsewhere.test/'), seq, '\">link</a></p>'),
           CONCAT('Title ', seq), '', '', '', '', CONCAT('post-', seq), '2024-01-01 00:00:00', '2024-01-01 00:00:00', CONCAT('http://example.test/?p=', seq), 'post'
         FROM seq_1_to_{posts};
         INSERT INTO {p}postmeta (post_id, meta_key, meta_value)
         SELECT seq MOD {posts} + 1, CONCAT('_bench_', seq MOD 12), {meta} FROM seq_1_to_{metas};
         INSERT INTO {p}options (option_name, option_value, autoload)
         SELECT CONCAT('bench_', seq), REPEAT(CONCAT('option ', seq, ' '), 400), 'no' FROM seq_1_to_4000;
         ANALYZE TABLE {p}posts, {p}postmeta, {p}options;"
    ))
    .context("cannot fill the tables")?;
    Ok(())
}

/// A small meta, as SQL makes it of `seq`.
const ROW: &str = r#"CASE seq MOD 6
     WHEN 0 THEN CONCAT('a:2:{s:3:"url";s:', LENGTH(CONCAT('http://example.test/f/', seq)), ':"http://example.test/f/', seq, '";s:4:"text";s:', 200 + seq MOD 90, ':"', REPEAT('x', 200 + seq MOD 90), '";}')
     WHEN 1 THEN CONCAT('{"src":"http:\\/\\/example.test\\/i\\/', seq, '.jpg","alt":"', REPEAT('y', 150), '"}')
     ELSE REPEAT(CONCAT('value ', seq, ' '), 18) END"#;

/// A meta of a page builder, as SQL makes it of `seq`: eight elements, each with an
/// address, settings and a text.
fn page() -> String {
    let elements: Vec<String> = (0..8)
        .map(|number| {
            // Every other meta, and in it every other element, is of this site.
            let host = match number % 2 {
                0 => "IF(seq MOD 2 = 0, 'http://example.test/', 'http://elsewhere.test/')",
                _ => "'http://another.test/'",
            };
            let url = format!("CONCAT({host}, 'image/', seq, '-{number}.jpg')");
            let text = format!("REPEAT(CONCAT('text ', seq, ' '), 18 + (seq + {number}) MOD 5)");
            format!(
                "'i:{number};a:4:{{s:2:\"id\";i:', seq, ';s:3:\"url\";s:', LENGTH({url}), ':\"', {url}, \
                 '\";s:8:\"settings\";a:2:{{s:5:\"width\";d:0.5;s:6:\"hidden\";b:0;}}s:4:\"text\";s:', LENGTH({text}), ':\"', {text}, '\";}}'"
            )
        })
        .collect();
    format!("CONCAT('a:8:{{', {}, '}}')", elements.join(","))
}

/// A directory that everybody may write to, for results of both sides.
pub fn scratch() -> Result<tempfile::TempDir> {
    let dir = tempfile::tempdir()?;
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777))?;
    Ok(dir)
}
