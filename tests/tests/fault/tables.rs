//! SIGKILL at random moments of what writes to a site's tables.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::eventually;
use pressroom_testkit::site::Site;
use pressroom_tests::killed::{self, Killer, rounds, timed};
use std::time::Duration;

const DOMAIN: &str = "rows.press.example";
const ROWS: u32 = 20_000;

/// Fills a table with plain and serialized texts: enough for a kill to come in between.
fn fill(site: &Site, word: &str) -> Result<()> {
    let len = word.len();
    site.php(&format!(
        "require 'wp-load.php'; global $wpdb; $t = $wpdb->prefix . 'bulk'; \
         $wpdb->query(\"CREATE TABLE IF NOT EXISTS $t (id INT PRIMARY KEY, v TEXT)\"); \
         $wpdb->query(\"REPLACE INTO $t SELECT seq, IF(seq % 2, 'an {word} a day', \
           'a:1:{{s:1:\\\"k\\\";s:{len}:\\\"{word}\\\";}}') FROM seq_1_to_{ROWS}\"); \
         if ($wpdb->last_error) {{ throw new Exception($wpdb->last_error); }} \
         update_option('fault_word', '{word}');"
    ))?;
    Ok(())
}

/// The texts that are in the table, serialized ones as PHP reads them, each once; the
/// option's; how many rows; how many tables the database has.
fn found(site: &Site) -> Result<String> {
    site.php(
        "require 'wp-load.php'; global $wpdb; $seen = []; \
         foreach ($wpdb->get_col(\"SELECT v FROM {$wpdb->prefix}bulk\") as $v) { \
           if (is_serialized($v)) { $it = unserialize($v); $v = is_array($it) ? 'in: ' . $it['k'] : 'BROKEN'; } \
           $seen[$v] = 1 + ($seen[$v] ?? 0); } ksort($seen); \
         echo json_encode([$seen, get_option('fault_word'), count($wpdb->get_col('SHOW TABLES'))]);",
    )
}

async fn answers(site: &Site) -> Result<()> {
    eventually("the site", Duration::from_secs(10), || async {
        site.front_page_with(DOMAIN).await
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn an_import_killed_anywhere_is_the_old_tables_or_the_new() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    let site = fixture.install(DOMAIN).await?;
    fill(&site, "then")?;
    let then = found(&site)?;
    let dump = fixture.server.scratch().join("then.sql");
    let dump = dump.to_str().context("a path of text")?;
    let export = ["site", "export", DOMAIN, dump];
    fixture.server.cli(&export, "").await?.line()?;
    fill(&site, "now")?;
    let now = found(&site)?;
    let asked = ["site", "import", DOMAIN, dump, "--yes"];
    let typical = timed(&fixture, &asked).await?;
    assert_eq!(found(&site)?, then);

    for _ in 0..rounds(4, 40) {
        fill(&site, "now")?;
        let round = killer.round(&mut fixture, &asked, typical).await?;
        // Interrupted, it begins anew: asked for is done.
        ensure!(round.completed() == round.job.is_some(), "{}", round.about);
        let wanted = if round.completed() { &then } else { &now };
        assert_eq!(&found(&site)?, wanted, "{}", round.about);
        answers(&site).await.context(round.about)?;
    }
    killer.came_in_time()
}

#[tokio::test]
async fn a_replacement_killed_anywhere_replaces_each_text_once() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    let site = fixture.install(DOMAIN).await?;
    // What is put in holds what is searched: whatever is done twice shows.
    fill(&site, "apple")?;
    let plain = ["site", "search-replace", DOMAIN, "apple", "apple-pie"];
    // With a snapshot of the tables first, and without.
    let ways = [plain.to_vec(), [&plain[..], &["--no-backup"]].concat()];
    let mut typical = Vec::new();
    for way in &ways {
        typical.push(timed(&fixture, way).await?);
    }
    let mut done = ways.len();
    for number in 0..rounds(4, 40) {
        let way = number as usize % 2;
        let round = killer.round(&mut fixture, &ways[way], typical[way]).await?;
        ensure!(round.completed() == round.job.is_some(), "{}", round.about);
        done += usize::from(round.completed());
        let word = format!("apple{}", "-pie".repeat(done));
        let found = found(&site)?;
        let half = ROWS / 2;
        let wanted = format!(r#"[{{"an {word} a day":{half},"in: {word}":{half}}},"{word}","#);
        ensure!(found.starts_with(&wanted), "{}\n{found}", round.about);
        let kept = fixture.server.cli_json(&["snapshot", "list"]).await?;
        let mut kept = kept.as_array().into_iter().flatten();
        ensure!(
            kept.all(|one| one["state"] != "creating"),
            "{}: a snapshot is left half made",
            round.about
        );
        answers(&site).await.context(round.about)?;
    }
    killer.came_in_time()
}
