//! Moves that meet others, are stopped, or would leave a name behind.

use crate::moving::{names_only, rows, write_content};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::ledger::Ledger;
use pressroom_testkit::tree::Tree;
use pressroom_testkit::wait::eventually_every;
use pressroom_testkit::{Database, Options, postgres};
use pressroom_tests::fixture::{Fixture, JOB_TIME, install_request};
use serde_json::json;
use std::time::Duration;

const ONE: &str = "one.press.example";
const TWO: &str = "two.press.example";
const FREE: &str = "free.press.example";

#[tokio::test]
async fn of_two_moves_at_once_one_wins() -> Result<()> {
    let fixture = Fixture::start(Options {
        database: Database::Postgres(postgres::database().await?),
        ..Options::default()
    })
    .await?;
    let one = fixture.install(ONE).await?;
    let two = fixture.install(TWO).await?;
    fixture.add_domain(FREE).await?;
    let (first, second) = tokio::join!(
        fixture.server.cli(&["site", "move", ONE, FREE], ""),
        fixture.server.cli(&["site", "move", TWO, FREE], ""),
    );
    let (first, second) = (first?, second?);
    let (won, lost, told, left) = if first.code == 0 {
        (&one, &two, &second, ONE)
    } else {
        (&two, &one, &first, TWO)
    };
    ensure!(first.code == 0 || second.code == 0, "{first:?}\n{second:?}");
    ensure!(told.code != 0, "both moved: {first:?}\n{second:?}");
    ensure!(
        told.stderr.contains("Another operation is running") || told.stderr.contains(FREE),
        "{told:?}"
    );
    let moved = fixture.site(&won.id).await?;
    ensure!(moved.url.contains(FREE), "{}", moved.url);
    moved.front_page_with(&moved.url).await?;
    let stayed = fixture.site(&lost.id).await?;
    ensure!(stayed.url == lost.url, "{}", stayed.url);
    stayed.front_page_with(&stayed.url).await?;
    fixture.server.cli(&["doctor"], "").await?.line()?;

    // The winner's database goes by the name of the domain it left: whoever asks for
    // it there is refused before anything is made.
    let before = (
        Ledger::of(&fixture.server).await?,
        fixture.installations().await?.len(),
        fixture.settled_jobs().await?.len(),
    );
    let refused = fixture.post("/install", &install_request(left)).await?;
    ensure!(refused.status == 409, "{}", refused.text);
    ensure!(refused.text.contains("already exists"), "{}", refused.text);
    let after = Ledger::of(&fixture.server).await?;
    assert_eq!(names_only(&before.0), names_only(&after));
    ensure!(!fixture.server.data().join("sites").join(left).exists());
    ensure!(fixture.installations().await?.len() == before.1);
    ensure!(fixture.settled_jobs().await?.len() == before.2);
    let mut request = install_request(left);
    request["db_name"] = json!("another");
    let started = fixture.post("/install", &request).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    moved.front_page_with(&moved.url).await?;
    Ok(())
}

#[tokio::test]
async fn a_move_that_is_cancelled_half_way_is_taken_back_whole() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let site = fixture.install(ONE).await?;
    fixture.add_domain(FREE).await?;
    write_content(&site)?;
    for path in ["/", "/wp-login.php", "/wp-admin/admin-ajax.php"] {
        site.get(path).await?;
    }
    let (files, database) = (Tree::of_directory(&site.root)?, rows(&site)?);
    let ledger = Ledger::of(&fixture.server).await?;

    let moving = fixture.server.cli(&["site", "move", ONE, FREE], "");
    let stopping = async {
        // Once the old address is not served any more, it is half-way.
        let what = "the move being half-way";
        let job = eventually_every(Duration::from_millis(20), what, JOB_TIME, || async {
            let jobs = fixture.server.cli_json(&["job", "list"]).await?;
            let job = jobs[0].clone();
            ensure!(
                job["kind"] == "site_move" && job["progress"].as_u64() > Some(90),
                "{job}"
            );
            Ok(job)
        })
        .await?;
        let id = job["public_id"].as_str().context("an id")?;
        let cancel = ["job", "cancel", id, "--reason", "wrong domain"];
        fixture.server.cli(&cancel, "").await?.line()?;
        anyhow::Ok(())
    };
    let (moved, stopped) = tokio::join!(moving, stopping);
    stopped?;
    let moved = moved?;
    ensure!(moved.code != 0, "{moved:?}");
    let jobs = fixture.settled_jobs().await?;
    ensure!(jobs[0]["state"] == "cancelled", "{}", jobs[0]);
    ensure!(
        jobs[0]["error"]["message"] == "Cancelled: wrong domain",
        "{}",
        jobs[0]
    );
    let now = fixture.site(&site.id).await?;
    ensure!(now.url == site.url && now.root == site.root);
    site.front_page_with(&site.url).await?;
    assert_eq!(
        files.difference(&Tree::of_directory(&site.root)?),
        Vec::<String>::new()
    );
    assert_eq!(rows(&site)?, database);
    let after = Ledger::of(&fixture.server).await?;
    assert_eq!(names_only(&ledger), names_only(&after));
    ensure!(!fixture.server.data().join("sites").join(FREE).exists());
    fixture.server.cli(&["doctor"], "").await?.line()?;

    // A second site in the domain keeps both of them there.
    let mut request = install_request(ONE);
    request["path"] = json!("public_html/blog");
    request["db_name"] = json!("lower");
    let started = fixture.post("/install", &request).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    ensure!(job["status"] == "completed", "{job}");
    for name in [site.id.as_str(), &started.string("id")?] {
        let command = ["site", "move", name, FREE];
        let refused = fixture.server.cli(&command, "").await?;
        ensure!(refused.code == 5, "{refused:?}");
        ensure!(
            refused.stderr.contains("another site lives in this domain"),
            "{refused:?}"
        );
    }
    site.front_page_with(&site.url).await?;
    Ok(())
}
