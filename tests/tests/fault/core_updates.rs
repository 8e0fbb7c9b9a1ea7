//! SIGKILL at random moments of an update of WordPress: files and tables are of one
//! version or of the other, and the job says which.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::eventually;
use pressroom_testkit::packages::{OLDER_WORDPRESS, WORDPRESS};
use pressroom_testkit::site::Site;
use pressroom_testkit::tree::Tree;
use pressroom_tests::fixture::install_request;
use pressroom_tests::killed::{self, Killer, rounds, timed};
use std::time::Duration;

const DOMAIN: &str = "versions.press.example";

/// The version of the files, that of the tables, and how many tables the site has: those of
/// a version that was taken back are kept beside them.
fn versions(site: &Site) -> Result<String> {
    site.php(
        "require 'wp-load.php'; global $wpdb, $wp_version, $wp_db_version; \
         echo $wp_version, ' ', get_option('db_version') - $wp_db_version, ' ', \
         count($wpdb->get_col($wpdb->prepare( \
           'SHOW TABLES LIKE %s', $wpdb->esc_like($wpdb->prefix) . '%')));",
    )
}

#[tokio::test]
async fn an_update_of_wordpress_killed_anywhere_is_whole_or_undone() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    fixture.add_domain(DOMAIN).await?;
    let mut body = install_request(DOMAIN);
    body["version"] = OLDER_WORDPRESS.into();
    let started = fixture.post("/install", &body).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    let site = fixture.site(&started.string("id")?).await?;
    let (old, old_versions) = (Tree::of_directory(&site.root)?, versions(&site)?);
    ensure!(
        old_versions.starts_with(&format!("{OLDER_WORDPRESS} 0 ")),
        "{old_versions}"
    );
    let said = fixture
        .server
        .cli(&["snapshot", "create", DOMAIN], "")
        .await?;
    let snapshot = said.line()?.lines().last().context("a name")?.to_owned();
    let back = [
        "snapshot",
        "restore",
        DOMAIN,
        &snapshot,
        "--yes",
        "--forget-present",
    ];
    let asked = ["site", "update-core", DOMAIN];
    let typical = timed(&fixture, &asked).await?;
    let (new, new_versions) = (Tree::of_directory(&site.root)?, versions(&site)?);
    ensure!(
        new_versions.starts_with(&format!("{WORDPRESS} 0 ")),
        "{new_versions}"
    );
    timed(&fixture, &back).await?;

    for _ in 0..rounds(6, 40) {
        let round = killer.round(&mut fixture, &asked, typical).await?;
        let (tree, told) = if round.completed() {
            (&new, &new_versions)
        } else {
            (&old, &old_versions)
        };
        let difference = tree.difference(&Tree::of_directory(&site.root)?);
        ensure!(difference.is_empty(), "{}\n{difference:#?}", round.about);
        let found = versions(&site)?;
        ensure!(found == *told, "{}\n{found}, not {told}", round.about);
        eventually("the site", Duration::from_secs(10), || async {
            site.front_page_with(DOMAIN).await
        })
        .await
        .context(round.about.clone())?;
        let snapshots = fixture
            .server
            .cli_json(&["snapshot", "list", DOMAIN])
            .await?;
        let unfinished = snapshots
            .as_array()
            .context("a list of snapshots")?
            .iter()
            .find(|one| one["state"] == "creating");
        ensure!(unfinished.is_none(), "{}\n{unfinished:?}", round.about);
        if round.completed() {
            timed(&fixture, &back).await?;
        }
    }
    killer.came_in_time()
}
