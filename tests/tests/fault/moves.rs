//! SIGKILL at random moments of a move: the site ends at one address or at the other,
//! and the records say at which.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::chance::Chance;
use pressroom_testkit::tree::Tree;
use pressroom_testkit::{Options, eventually};
use pressroom_tests::fixture::{Fixture, SHORT_LEASES};
use std::time::{Duration, Instant};

fn rounds() -> u32 {
    if std::env::var("PRESSROOM_LONG").is_ok_and(|value| value == "1") {
        40
    } else {
        8
    }
}

#[tokio::test]
async fn a_move_killed_anywhere_ends_at_one_address_or_the_other() -> Result<()> {
    let mut fixture = Fixture::start(Options {
        config: SHORT_LEASES.to_owned(),
        ..Options::default()
    })
    .await?;
    let mut chance = Chance::new();
    let (mut here, mut there) = ("one.press.example", "two.press.example");
    let site = fixture.install(here).await?;
    fixture.add_domain(there).await?;
    let files = Tree::of_directory(&site.root.join("wp-content"))?;
    let started = Instant::now();
    fixture
        .server
        .cli(&["site", "move", here, there], "")
        .await?
        .line()?;
    let typical = started.elapsed();
    (here, there) = (there, here);

    let mut back = 0;
    for round in 0..rounds() {
        let delay = chance.up_to(typical);
        let about = format!("round {round}, killed after {delay:?}");
        let asked = ["site", "move", here, there];
        let _late = tokio::time::timeout(delay, fixture.server.cli(&asked, "")).await;
        fixture.server.restart().await?;
        let jobs = fixture.settled_jobs().await?;
        let now = fixture.site(&site.id).await?;
        let moved = now.url.contains(there);
        let job = jobs.first().context("there were jobs")?;
        let about = format!("{about}: {job}");
        ensure!(moved || now.url.contains(here), "{about}");
        back += u32::from(!moved);
        // A kill may also come before there is any job of this round: then the newest
        // is one that ended before.
        ensure!(job["state"] != "dead", "{about}");
        ensure!(!moved || job["state"] == "completed", "{about}");
        eventually("the site", Duration::from_secs(10), || async {
            now.front_page_with(&now.url).await
        })
        .await
        .with_context(|| about.clone())?;
        let other = now.url.replace(
            if moved { there } else { here },
            if moved { here } else { there },
        );
        let served = now.get_url(&other).await;
        ensure!(served.map_or(true, |page| page.status == 404), "{about}");
        let tree = Tree::of_directory(&now.root.join("wp-content"))?;
        let difference = files.difference(&tree);
        ensure!(difference.is_empty(), "{about}\n{difference:#?}");
        let checks = fixture.server.cli_json(&["doctor"]).await?;
        let wrong: Vec<_> = checks
            .as_array()
            .context("checks")?
            .iter()
            .filter(|check| check["status"] == "failed" || check["name"] == "records")
            .filter(|check| check["status"] != "ok")
            .collect();
        ensure!(wrong.is_empty(), "{about}\n{wrong:?}");
        if moved {
            (here, there) = (there, here);
        }
    }
    // Otherwise this test has shown nothing.
    ensure!(back > 0, "no kill came in time to interrupt anything");
    Ok(())
}
