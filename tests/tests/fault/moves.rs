//! SIGKILL at random moments of a move: the site ends at one address or at the other,
//! and the records say at which.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::eventually;
use pressroom_testkit::tree::Tree;
use pressroom_tests::killed::{self, Killer, rounds, timed};
use std::time::Duration;

#[tokio::test]
async fn a_move_killed_anywhere_ends_at_one_address_or_the_other() -> Result<()> {
    let mut fixture = killed::fixture().await?;
    let mut killer = Killer::new();
    let (mut here, mut there) = ("one.press.example", "two.press.example");
    let site = fixture.install(here).await?;
    fixture.add_domain(there).await?;
    let files = Tree::of_directory(&site.root.join("wp-content"))?;
    let typical = timed(&fixture, &["site", "move", here, there]).await?;
    (here, there) = (there, here);

    let mut back = 0;
    for _ in 0..rounds(8, 40) {
        let asked = ["site", "move", here, there];
        let round = killer.round(&mut fixture, &asked, typical).await?;
        let about = &round.about;
        let now = fixture.site(&site.id).await?;
        let moved = now.url.contains(there);
        ensure!(moved || now.url.contains(here), "{about}");
        back += u32::from(!moved);
        ensure!(moved == round.completed(), "{about}");
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
