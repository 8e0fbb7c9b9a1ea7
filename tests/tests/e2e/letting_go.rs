//! Sites that are removed, and sites that are handed over.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::ledger::Ledger;
use pressroom_tests::fixture::{ACCOUNT, Fixture};
use std::fs;

#[tokio::test]
async fn a_removed_site_leaves_the_machine_as_it_was() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let before = Ledger::of(&fixture.server).await?;
    let first = fixture.install("gone.press.example").await?;
    let kept = fixture.install("kept.press.example").await?;

    // Nothing happens before it is said plainly.
    let asked = fixture
        .server
        .cli(&["site", "remove", "gone.press.example"], "")
        .await?;
    ensure!(asked.code == 2, "{asked:?}");
    ensure!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    ensure!(first.get("/").await?.status == 200, "it went all the same");

    fixture
        .server
        .cli(&["site", "remove", "gone.press.example", "--yes"], "")
        .await?
        .line()?;
    ensure!(!first.root.exists(), "the directory is still there");
    ensure!(first.get("/").await?.status != 200, "it is still served");
    ensure!(kept.get("/").await?.status == 200, "its neighbour is gone");
    let left = fixture.installations().await?;
    assert_eq!(left.len(), 1);
    ensure!(left[0]["id"] == kept.id.as_str(), "{left:?}");

    fixture
        .server
        .cli(&["site", "remove", &kept.id, "--yes"], "")
        .await?
        .line()?;
    let after = Ledger::of(&fixture.server).await?;
    assert_eq!(before.difference(&after), Vec::<String>::new());
    let again = fixture
        .server
        .cli(&["site", "remove", &kept.id, "--yes"], "")
        .await?;
    ensure!(again.code == 3, "{again:?}");
    fixture
        .server
        .cli(&["domain", "remove", "gone.press.example"], "")
        .await?
        .line()?;
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}

#[tokio::test]
async fn foreign_files_and_kept_databases_stay() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("foreign.press.example").await?;
    let letter = site.root.join("letter.txt");
    fs::write(&letter, "mine")?;
    site.own(&letter)?;
    fixture
        .server
        .cli(
            &[
                "site",
                "remove",
                "foreign.press.example",
                "--keep-database",
                "--yes",
            ],
            "",
        )
        .await?
        .line()?;
    assert_eq!(fs::read_to_string(&letter)?, "mine");
    let names: Vec<_> = fs::read_dir(&site.root)?
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(names, ["letter.txt"]);
    let ledger = Ledger::of(&fixture.server).await?;
    assert_eq!(ledger.names("database").len(), 1);
    assert_eq!(
        ledger.names("unix-user").len(),
        1,
        "the file has no owner any more"
    );
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}

#[tokio::test]
async fn a_released_site_goes_on_and_is_nobodys_to_remove() -> Result<()> {
    let mut fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install("free.press.example").await?;
    let before = Ledger::of(&fixture.server).await?;
    fixture
        .server
        .cli(&["site", "release", "free.press.example"], "")
        .await?
        .line()?;
    ensure!(
        fixture.installations().await?.is_empty(),
        "it is still listed"
    );
    ensure!(site.get("/").await?.status == 200, "it is not served");
    let after = Ledger::of(&fixture.server).await?;
    assert_eq!(before.difference(&after), Vec::<String>::new());
    fixture.server.cli(&["doctor"], "").await?.line()?;

    // The domain is free to go; its directory is never taken for ours again.
    let refused = fixture.start_install("free.press.example").await?;
    ensure!(refused.status == 409, "{}", refused.text);
    fixture
        .server
        .cli(&["domain", "remove", "free.press.example"], "")
        .await?
        .line()?;
    let add = ["domain", "add", "free.press.example", "--account", ACCOUNT];
    let refused = fixture.server.cli(&add, "").await?;
    ensure!(refused.code == 5, "{refused:?}");
    fixture.server.restart().await?;
    ensure!(
        site.get("/").await?.status == 200,
        "a restart ended what was handed over"
    );
    let page = site.get("/").await?.body;
    ensure!(page.contains("</html>"), "half a page");
    let root = site.root.parent().context("a home")?;
    ensure!(root.is_dir(), "its home is gone");
    Ok(())
}
