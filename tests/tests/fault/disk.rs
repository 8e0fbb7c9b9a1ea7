//! Disks that are full and a database server that goes away.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::ledger::Ledger;
use pressroom_testkit::mount::SmallDisk;
use pressroom_testkit::plugin::PluginPackage;
use pressroom_testkit::{Options, Pressroom};
use pressroom_tests::fixture::{ACCOUNT, Fixture, SHORT_LEASES, install_request};
use serde_json::json;
use std::fs;
use std::path::Path;

fn options() -> Options {
    Options {
        config: SHORT_LEASES.to_owned(),
        ..Options::default()
    }
}

async fn add_domain_at(server: &Pressroom, name: &str, root: &Path) -> Result<()> {
    let root = root.to_str().context("a path of ours is UTF-8")?;
    server
        .cli(
            &["domain", "add", name, "--account", ACCOUNT, "--root", root],
            "",
        )
        .await?
        .line()?;
    Ok(())
}

#[tokio::test]
async fn an_installation_on_a_full_disk_is_undone() -> Result<()> {
    let fixture = Fixture::start(options()).await?;
    let at = fixture.server.scratch().join("roots");
    let _disk = SmallDisk::mount(&at, 20)?;
    add_domain_at(&fixture.server, "tiny.press.example", &at.join("tiny")).await?;
    // The stack and what it makes once are no concern of this comparison.
    fixture.server.cli(&["hosting", "up"], "").await?.line()?;
    let before = Ledger::of(&fixture.server).await?;

    let started = fixture
        .start_install("tiny.press.example")
        .await?
        .expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    assert_eq!(job["status"], "failed");
    let error = job["error"].as_str().context("an error")?.to_lowercase();
    ensure!(error.contains("space") || error.contains("full"), "{error}");
    let difference = before.difference(&Ledger::of(&fixture.server).await?);
    ensure!(difference.is_empty(), "left: {difference:#?}");
    Ok(())
}

#[tokio::test]
async fn a_copy_that_the_disk_cannot_hold_is_refused() -> Result<()> {
    let fixture = Fixture::start(options()).await?;
    let source = fixture.install("roomy.press.example").await?;
    let at = fixture.server.scratch().join("roots");
    let _disk = SmallDisk::mount(&at, 20)?;
    add_domain_at(&fixture.server, "narrow.press.example", &at.join("narrow")).await?;
    let before = Ledger::of(&fixture.server).await?;
    let body = json!({ "source_id": source.id, "target_domain": "narrow.press.example" });
    let refused = fixture.change("/clone", &body).await?.expect(422)?;
    let error = refused.string("error")?;
    ensure!(error.contains("the disk has"), "{error}");
    let difference = before.difference(&Ledger::of(&fixture.server).await?);
    ensure!(difference.is_empty(), "left: {difference:#?}");
    assert_eq!(fixture.installations().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_update_on_a_full_disk_leaves_the_old_version() -> Result<()> {
    let fixture = Fixture::start(options()).await?;
    let at = fixture.server.scratch().join("roots");
    let disk = SmallDisk::mount(&at, 110)?;
    let domain = "brim.press.example";
    add_domain_at(&fixture.server, domain, &at.join("brim")).await?;
    let started = fixture.start_install(domain).await?.expect(201)?;
    let job = fixture.finished_job(&started.string("job_id")?).await?;
    assert_eq!(job["status"], "completed", "{job}");
    let site = fixture.site(&started.string("id")?).await?;
    let old = PluginPackage::new("sample").files(100);
    site.plant_plugin(&old, "sample")?;
    site.front_page_with(&old.mark()).await?;
    let before = site.plugin_tree("sample")?;
    fixture.offer(&old.clone().version("1.1.0"))?;

    let filler = disk.fill()?;
    let reply = fixture.update_plugin(&site, "sample").await?;
    ensure!(
        reply.status == 502 && reply.body["success"] == false,
        "{}: {}",
        reply.status,
        reply.text
    );
    let error = reply.string("error")?.to_lowercase();
    ensure!(error.contains("space") || error.contains("full"), "{error}");
    assert_eq!(
        before.difference(&site.plugin_tree("sample")?),
        Vec::<String>::new()
    );
    fs::remove_file(filler)?;
    site.front_page_with(&old.mark()).await?;

    // With space again the same request works.
    fixture.update_plugin(&site, "sample").await?.expect(200)?;
    site.front_page_with("<!-- sample 1.1.0 -->").await?;
    Ok(())
}

#[tokio::test]
async fn mariadb_gone_in_the_middle_is_told_and_undone() -> Result<()> {
    let fixture = Fixture::start(options()).await?;
    let site = fixture.install("steady.press.example").await?;
    let domain = "unlucky.press.example";
    fixture.add_domain(domain).await?;
    let before = Ledger::of(&fixture.server).await?;

    let started = fixture.start_install(domain).await?.expect(201)?;
    kill_mariadb(&fixture.server)?;
    // Reads still answer, with what files alone tell or with what was known.
    let list = fixture.installations().await?;
    ensure!(
        list.iter().any(|object| object["id"] == site.id.as_str()),
        "{list:?}"
    );
    // A new request may be refused, but not with the caller's fault or ours.
    fixture.add_domain("later.press.example").await?;
    let reply = fixture
        .post("/install", &install_request("later.press.example"))
        .await?;
    ensure!(
        [201, 502, 503].contains(&reply.status),
        "{}: {}",
        reply.status,
        reply.text
    );

    fixture.server.cli(&["hosting", "up"], "").await?.line()?;
    let jobs = fixture.settled_jobs().await?;
    for job in &jobs {
        let id = job["public_id"].as_str().context("an id")?;
        ensure!(
            job["state"] == "completed" || job["state"] == "failed",
            "{id} ended as {job}"
        );
    }
    let first = started.string("job_id")?;
    let failed = jobs
        .iter()
        .any(|job| job["public_id"] == first.as_str() && job["state"] == "failed");
    if failed && reply.status != 201 {
        let difference = before.difference(&Ledger::of(&fixture.server).await?);
        ensure!(difference.is_empty(), "left: {difference:#?}");
    }
    site.front_page_with("steady.press.example").await?;
    Ok(())
}

fn kill_mariadb(server: &Pressroom) -> Result<()> {
    let file = server.data().join("hosting/mariadb/data/mariadbd.pid");
    let pid = fs::read_to_string(&file)
        .with_context(|| format!("no {}", file.display()))?
        .trim()
        .parse()?;
    let pid = rustix::process::Pid::from_raw(pid).context("a process id")?;
    rustix::process::kill_process(pid, rustix::process::Signal::KILL)?;
    Ok(())
}
