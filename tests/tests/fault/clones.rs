//! SIGKILL at random moments of a copy: it is whole, or nothing of it is left, and the
//! source does not notice.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::ledger::Ledger;
use pressroom_testkit::tree::Tree;
use pressroom_tests::killed::{self, Killer, rounds, timed};

const SOURCE: &str = "model.press.example";

#[tokio::test]
async fn a_copy_killed_anywhere_is_whole_or_gone() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    let source = fixture.install(SOURCE).await?;
    fixture.add_domain("first.press.example").await?;
    let typical = timed(&fixture, &["site", "clone", SOURCE, "first.press.example"]).await?;
    let tree = Tree::of_directory(&source.root)?;

    for round in 0..rounds(6, 40) {
        let domain = format!("kill{round}.press.example");
        fixture.add_domain(&domain).await?;
        let before = Ledger::of(&fixture.server).await?;
        let known = fixture.installations().await?.len();
        let asked = ["site", "clone", SOURCE, domain.as_str()];
        let round = killer.round(&mut fixture, &asked, typical).await?;
        let all = fixture.installations().await?;
        if round.completed() {
            let made = all
                .iter()
                .find(|object| object["domain"] == domain.as_str())
                .with_context(|| round.about.clone())?;
            let copy = fixture.site(made["id"].as_str().context("an id")?).await?;
            copy.front_page_with(&copy.url)
                .await
                .context(round.about.clone())?;
            let staging = copy
                .root
                .parent()
                .context("a home")?
                .join(".pressroom/staging");
            let left = std::fs::read_dir(staging).map_or(0, Iterator::count);
            ensure!(left == 0, "{}: left beside it", round.about);
        } else {
            let difference = before.difference(&Ledger::of(&fixture.server).await?);
            ensure!(
                difference.is_empty(),
                "{}\nleft: {difference:#?}",
                round.about
            );
            ensure!(all.len() == known, "{}", round.about);
        }
        let difference = tree.difference(&Tree::of_directory(&source.root)?);
        ensure!(difference.is_empty(), "{}\n{difference:#?}", round.about);
        source
            .front_page_with(SOURCE)
            .await
            .context(round.about.clone())?;
        let checks = fixture.server.cli_json(&["doctor"]).await?;
        let records = checks
            .as_array()
            .context("a list of checks")?
            .iter()
            .find(|check| check["name"] == "records")
            .context("a check of the records")?;
        ensure!(records["status"] == "ok", "{}\n{records}", round.about);
    }
    killer.came_in_time()
}
