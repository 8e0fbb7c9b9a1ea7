//! SIGKILL at random moments of a restore: files and tables are the snapshot's or what
//! they were before, all of them, and the job says which.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::eventually;
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_tests::killed::{self, Killer, rounds, timed};
use std::fs;
use std::time::Duration;

const DOMAIN: &str = "back.press.example";

/// Writes a word into a file and into the tables.
fn set(site: &Site, word: &str) -> Result<()> {
    let file = site.root.join("wp-content/word.txt");
    fs::write(&file, word)?;
    site.own(&file)?;
    site.php(&format!(
        "require 'wp-load.php'; update_option('fault_word', '{word}');"
    ))?;
    Ok(())
}

/// The word in the tables, and how many tables the database has.
fn tables(site: &Site) -> Result<String> {
    site.php(
        "require 'wp-load.php'; global $wpdb; \
         echo get_option('fault_word'), ' ', count($wpdb->get_col('SHOW TABLES'));",
    )
}

#[tokio::test]
async fn a_restore_killed_anywhere_is_whole_or_undone() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    let site = fixture.install(DOMAIN).await?;
    set(&site, "then")?;
    let (then, then_tables) = (Tree::of_directory(&site.root)?, tables(&site)?);
    let said = fixture
        .server
        .cli(&["snapshot", "create", DOMAIN], "")
        .await?;
    let snapshot = said.line()?.lines().last().context("a name")?.to_owned();
    // With a snapshot of the present state first, and without.
    let ways: [&[&str]; 2] = [&["--yes"], &["--yes", "--forget-present"]];
    let mut typical = [Duration::ZERO; 2];
    for (way, typical) in ways.iter().zip(&mut typical) {
        set(&site, "now")?;
        let asked = [&["snapshot", "restore", DOMAIN, &snapshot], *way].concat();
        *typical = timed(&fixture, &asked).await?;
    }

    let mut undone = 0;
    for number in 0..rounds(8, 40) {
        set(&site, "now")?;
        let (now, now_tables) = (Tree::of_directory(&site.root)?, tables(&site)?);
        let way = number as usize % 2;
        let asked = [&["snapshot", "restore", DOMAIN, &snapshot], ways[way]].concat();
        let round = killer.round(&mut fixture, &asked, typical[way]).await?;
        let (about, restored) = (&round.about, round.completed());
        undone += u32::from(!restored);
        let (files, rows) = if restored {
            (&then, &then_tables)
        } else {
            (&now, &now_tables)
        };
        let difference = files.difference(&Tree::of_directory(&site.root)?);
        ensure!(difference.is_empty(), "{about}\n{difference:#?}");
        let found = tables(&site)?;
        ensure!(found == *rows, "{about}\n{found} is not {rows}");
        eventually("the site", Duration::from_secs(10), || async {
            site.front_page_with(DOMAIN).await
        })
        .await
        .with_context(|| about.clone())?;
        let staging = site.root.parent().context("a home")?;
        let staging = fs::read_dir(staging.join(".pressroom/staging"))?;
        let left: Vec<_> = staging.flatten().map(|entry| entry.path()).collect();
        ensure!(left.is_empty(), "{about}\nleft at the site: {left:?}");
    }
    // Otherwise this test has shown nothing.
    ensure!(undone > 0, "no kill came in time to interrupt anything");
    let verify = ["snapshot", "verify", &snapshot];
    fixture.server.cli(&verify, "").await?.line()?;
    Ok(())
}
