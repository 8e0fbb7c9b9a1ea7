//! SIGKILL at random moments of a removal: asked for is done, and nothing is left.

use anyhow::{Result, ensure};
use pressroom_testkit::ledger::Ledger;
use pressroom_tests::killed::{self, Killer, rounds, timed};
use std::time::Duration;

#[tokio::test]
async fn a_removal_killed_anywhere_leaves_nothing() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    let empty = Ledger::of(&fixture.server).await?;
    let mut typical = Duration::ZERO;
    for number in 0..=rounds(4, 40) {
        let domain = format!("leave{number}.press.example");
        let site = fixture.install(&domain).await?;
        let asked = ["site", "remove", domain.as_str(), "--yes"];
        if number == 0 {
            typical = timed(&fixture, &asked).await?;
            continue;
        }
        let round = killer.round(&mut fixture, &asked, typical).await?;
        let about = &round.about;
        if round.job.is_none() {
            site.front_page_with(&domain).await?;
            fixture.server.cli(&asked, "").await?.line()?;
        } else {
            ensure!(round.completed(), "{about}");
        }
        let mut left = empty.difference(&Ledger::of(&fixture.server).await?);
        // Whatever else runs on this machine has its own.
        left.retain(|line| !line.contains(" temporary "));
        ensure!(left.is_empty(), "{about}\nleft: {left:#?}");
        let listed = fixture.installations().await?;
        ensure!(listed.is_empty(), "{about}\n{listed:?}");
        let doctor = fixture.server.cli(&["doctor"], "").await?;
        ensure!(doctor.code == 0, "{about}\n{doctor:?}");
    }
    killer.came_in_time()
}
