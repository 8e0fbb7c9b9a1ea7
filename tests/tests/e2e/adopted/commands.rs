//! One command on sites of two hosts.

use anyhow::{Context, Result, ensure};
use pressroom_lab::{Hosted, Login, Sshd, Wordpress};
use pressroom_testkit::{eventually, server::Finished};
use pressroom_tests::{
    adopted::{DOMAIN, Way, World},
    fixture::ACCOUNT,
};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_mins(1);

/// A second host, with a site of its own.
struct Second {
    sshd: Sshd,
    login: Login,
    hosted: Hosted,
    site: String,
}

impl Second {
    async fn adopted(world: &World) -> Result<Self> {
        let sshd = Sshd::start()?;
        let login = sshd.login()?;
        let hosted = Hosted::new(Wordpress::V6_4, &login, "www", DOMAIN, None)?;
        let keys = world.json(&["key", "list"]).await?;
        let line = keys[0]["public_line"].as_str();
        let line = line.with_context(|| keys.to_string())?;
        sshd.authorize(login.name(), "", line)?;
        let address = format!("{}@{}:{}", login.name(), sshd.address(), sshd.port());
        let add = ["--account", ACCOUNT, "--label", "web2"];
        let add = [&["host", "add", &address], &add[..]].concat();
        world.cli(&add).await?;
        let root = hosted.root.display().to_string();
        let origin = format!("http://{}", hosted.addr);
        let adopt = [
            "site", "adopt", &root, "--host", "web2", "--origin", &origin,
        ];
        let adopted = world.json(&adopt).await?;
        let site = adopted["panel_id"].as_str();
        Ok(Self {
            sshd,
            login,
            hosted,
            site: site.with_context(|| adopted.to_string())?.to_owned(),
        })
    }
}

/// What a site's lines begin with.
fn label(hosted: &Hosted) -> &str {
    hosted.url.trim_start_matches("http://")
}

async fn run(world: &World, options: &[&str], script: &str) -> Result<Finished> {
    let words = [
        &["run", "--on", "all"],
        options,
        &["--", "sh", "-c", script],
    ]
    .concat();
    world.server.cli(&words, "").await
}

/// The command lines of a user that have this in them.
fn running(login: &Login, marker: &str) -> Vec<PathBuf> {
    let is_theirs = |process: &PathBuf| {
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        let words = fs::read(process.join("cmdline")).unwrap_or_default();
        status.contains(&format!("\nUid:\t{}\t", login.uid()))
            && String::from_utf8_lossy(&words).contains(marker)
    };
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.map(|entry| entry.path()).filter(is_theirs).collect()
}

#[tokio::test]
async fn a_command_runs_on_the_sites_of_two_hosts() -> Result<()> {
    let world = World::adopted(Way::Login).await?;
    let mut second = Second::adopted(&world).await?;
    let (one, two) = (
        label(&world.hosted).to_owned(),
        label(&second.hosted).to_owned(),
    );

    // As each site's owner, in its directory, labelled, in the order of the sites.
    let script = "echo \"$PRESSROOM_SITE\"; pwd; id -u; echo oops >&2";
    let ran = run(&world, &[], script).await?;
    ensure!(ran.code == 0, "{ran:?}");
    let mut expected = Vec::new();
    for (label, site, hosted, login) in [
        (&one, &world.site, &world.hosted, &world.login),
        (&two, &second.site, &second.hosted, &second.login),
    ] {
        let lines = [
            site,
            &hosted.root.display().to_string(),
            &login.uid().to_string(),
        ];
        let lines = lines.map(|line| format!("{label}: {line}\n"));
        expected.push((site.clone(), lines.concat()));
        ensure!(ran.stderr.contains(&format!("{label}: oops\n")), "{ran:?}");
    }
    let listed = world.json(&["site", "list"]).await?;
    let place = |site: &str| {
        let mut sites = listed.as_array().into_iter().flatten();
        sites.position(|one| one["panel_id"] == site)
    };
    expected.sort_by_key(|(site, _)| place(site));
    let expected: String = expected.into_iter().map(|(_, lines)| lines).collect();
    ensure!(ran.stdout == expected, "{ran:?}\nnot {expected}");
    ensure!(ran.stderr.contains(": 2 sites: 2 done\n"), "{ran:?}");

    // Each ends as it ends; what it prints arrives byte for byte.
    let script = format!(
        "case \"$PRESSROOM_URL\" in *//{one}) head -c 300000 /dev/zero | tr '\\0' x; exit 3;; \
         *) kill -9 $$;; esac"
    );
    let ran = run(&world, &[], &script).await?;
    ensure!(ran.code == 1, "{:?}", ran.stderr);
    ensure!(
        ran.stdout == format!("{one}: {}\n", "x".repeat(300_000)),
        "{} bytes came",
        ran.stdout.len()
    );
    for told in [
        format!("{one}: ended with status 3\n"),
        format!("{two}: killed by signal 9\n"),
        ": 2 sites: 2 failed\n".to_owned(),
    ] {
        ensure!(ran.stderr.contains(&told), "no {told} in {:?}", ran.stderr);
    }
    let missing = ["run", "--on", "all", "--", "no-such-program"];
    let missing = world.server.cli(&missing, "").await?;
    ensure!(
        missing.stderr.contains("ended with status 127"),
        "{missing:?}"
    );

    stopped(&world, &second).await?;

    // One host is away: it is told as such, and holds nothing up.
    second.sshd.kill();
    let begun = Instant::now();
    let ran = run(&world, &[], "echo here").await?;
    ensure!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    ensure!(
        ran.code == 1 && ran.stdout == format!("{one}: here\n"),
        "{ran:?}"
    );
    let port = second.sshd.port();
    let told = format!(
        "{two}: nothing answers at `{}@127.0.0.1:{port}`",
        second.login.name()
    );
    ensure!(ran.stderr.contains(&told), "no {told} in {ran:?}");
    ensure!(
        ran.stderr.contains(": 2 sites: 1 done, 1 failed\n"),
        "{ran:?}"
    );
    second.sshd.resume()?;
    let runs = world.json(&["run", "list"]).await?;
    let id = runs[0]["id"].as_str().context("an id")?;
    // With `--again` it is done where it was not, once the host is left alone no more.
    eventually("the rest of the run", SOON, || async {
        let again = ["run", "resume", id, "--again"];
        let again = world.server.cli(&again, "").await?;
        ensure!(again.code == 0, "{again:?}");
        ensure!(again.stdout == format!("{two}: here\n"), "{again:?}");
        Ok(())
    })
    .await?;

    // One hangs, over a connection that was good: the other is done long before that is
    // given up.
    second.sshd.freeze();
    let ran = run(&world, &["--timeout", "5s"], "echo here").await?;
    ensure!(
        ran.code == 1 && ran.stdout == format!("{one}: here\n"),
        "{ran:?}"
    );
    let told = format!("@127.0.0.1:{port}` did not answer within 15 s");
    ensure!(ran.stderr.contains(&told), "no {told} in {ran:?}");
    let runs = world.json(&["run", "list"]).await?;
    let id = runs[0]["id"].as_str().context("an id")?;
    let shown = world.json(&["run", "show", id]).await?;
    let ended = |site: &str| -> Result<i64> {
        let mut sites = shown["sites"].as_array().into_iter().flatten();
        let item = sites
            .find(|item| item["site"] == site)
            .context("its item")?;
        item["ended_at"].as_i64().with_context(|| item.to_string())
    };
    let ahead = ended(&second.site)? - ended(&world.site)?;
    ensure!(ahead > 5000, "{ahead} ms ahead: {shown}");
    Ok(())
}

/// Ctrl-C ends what runs on both hosts, with all that it started.
async fn stopped(world: &World, second: &Second) -> Result<()> {
    let slow = "sleep 301 & sleep 302 | cat; echo late";
    let begun = world.server.begin_cli(&[
        "run",
        "--on",
        "all",
        "--timeout",
        "10m",
        "--",
        "sh",
        "-c",
        slow,
    ])?;
    let logins = [&world.login, &second.login];
    eventually("commands that run", SOON, || async {
        for login in logins {
            let there = running(login, "sleep\0").len();
            ensure!(there == 2, "{there} of {}", login.name());
        }
        Ok(())
    })
    .await?;
    let asked = Instant::now();
    begun.signal(Signal::INT)?;
    let ended = begun.ended().await?;
    ensure!(ended.code == 130, "{ended:?}");
    ensure!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
    ensure!(
        ended.stderr.contains(": 2 sites: 2 cancelled\n"),
        "{ended:?}"
    );
    ensure!(ended.stdout.is_empty(), "{ended:?}");
    for login in logins {
        for marker in ["sleep\0", "echo late", "pressroom-agent"] {
            let left = running(login, marker);
            ensure!(left.is_empty(), "{marker} of {}: {left:?}", login.name());
        }
    }
    let runs: Value = world.json(&["run", "list"]).await?;
    ensure!(runs[0]["state"] == "cancelled", "{runs}");
    Ok(())
}
