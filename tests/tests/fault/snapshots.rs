//! SIGKILL at random moments while a snapshot is taken: it is whole and can be read
//! back, or there is nothing of it.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::tree::Tree;
use pressroom_tests::fixture::Fixture;
use pressroom_tests::killed::{self, Killer, rounds, timed};
use serde_json::Value;

const DOMAIN: &str = "kept.press.example";

/// Everything that is in the archive.
fn archive(fixture: &Fixture) -> Result<Tree> {
    Tree::of_directory(&fixture.server.data().join("archive"))
}

async fn snapshots(fixture: &Fixture) -> Result<Vec<Value>> {
    let list = fixture.server.cli_json(&["snapshot", "list"]).await?;
    Ok(list.as_array().context("a list")?.clone())
}

#[tokio::test]
async fn a_snapshot_killed_anywhere_is_whole_or_gone() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    let site = fixture.install(DOMAIN).await?;
    let asked = ["snapshot", "create", DOMAIN];
    let typical = timed(&fixture, &asked).await?;
    let files = Tree::of_directory(&site.root)?;

    for _ in 0..rounds(6, 60) {
        let (before, ready) = (archive(&fixture)?, ready(&snapshots(&fixture).await?));
        let round = killer.round(&mut fixture, &asked, typical).await?;
        let about = &round.about;
        let now = snapshots(&fixture).await?;
        let open = now
            .iter()
            .find(|one| !["ready", "failed"].contains(&one["state"].as_str().unwrap_or_default()));
        ensure!(open.is_none(), "{about}\n{open:?}");
        let mut difference = before.difference(&archive(&fixture)?);
        // The directory for what is not finished comes and goes; what is in it counts.
        difference.retain(|line| !line.ends_with(" .uploads"));
        if round.completed() {
            ensure!(self::ready(&now) == ready + 1, "{about}\n{now:?}");
            let name = round.job.as_ref().context("a job")?["result"]["snapshot"]
                .as_str()
                .with_context(|| format!("no name: {about}"))?
                .to_owned();
            let verified = fixture
                .server
                .cli(&["snapshot", "verify", &name], "")
                .await?;
            ensure!(verified.code == 0, "{about}\n{verified:?}");
        } else {
            ensure!(self::ready(&now) == ready, "{about}\n{now:?}");
            ensure!(difference.is_empty(), "{about}\nleft: {difference:#?}");
        }
        let changed = files.difference(&Tree::of_directory(&site.root)?);
        ensure!(changed.is_empty(), "{about}\n{changed:#?}");
    }
    killer.came_in_time()
}

fn ready(snapshots: &[Value]) -> usize {
    snapshots
        .iter()
        .filter(|one| one["state"] == "ready")
        .count()
}
