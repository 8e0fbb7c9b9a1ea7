//! One command on many sites.

use anyhow::{Context, Result, ensure};
use pressroom_testkit::site::Site;
use pressroom_testkit::{Options, eventually};
use pressroom_tests::fixture::{ACCOUNT, Fixture, SHORT_LEASES, add_owner};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_mins(1);

/// Sites at `a`, `b`, … below a domain, all at once.
pub async fn sites(fixture: &Fixture, below: &str, names: &[&str]) -> Result<Vec<Site>> {
    for name in names {
        fixture.add_domain(&format!("{name}.{below}")).await?;
    }
    let mut started = Vec::new();
    for name in names {
        let reply = fixture.start_install(&format!("{name}.{below}")).await?;
        started.push(reply.expect(201)?);
    }
    let mut sites = Vec::new();
    for reply in started {
        let job = fixture.finished_job(&reply.string("job_id")?).await?;
        ensure!(job["status"] == "completed", "not installed: {job}");
        sites.push(fixture.site(&reply.string("id")?).await?);
    }
    Ok(sites)
}

pub fn label(site: &Site) -> &str {
    site.url.split_once("://").map_or("", |(_, rest)| rest)
}

fn home(site: &Site) -> Result<PathBuf> {
    Ok(site.root.parent().context("a home")?.to_owned())
}

/// The items of a run, as `run show` tells them.
pub async fn items(fixture: &Fixture, run: &str) -> Result<Vec<Value>> {
    let shown = fixture.server.cli_json(&["run", "show", run]).await?;
    shown["sites"].as_array().cloned().context("a list")
}

pub async fn newest(fixture: &Fixture) -> Result<Value> {
    let runs = fixture.server.cli_json(&["run", "list"]).await?;
    runs.get(0).cloned().context("a run")
}

pub fn states(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .filter_map(|item| item["state"].as_str())
        .collect()
}

fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|it| !it.contains(") Z "))
}

#[tokio::test]
async fn a_command_runs_on_every_site_and_each_ends() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let server = &fixture.server;
    let sites = sites(&fixture, "run.press.example", &["a", "b", "c", "d"]).await?;
    let labels: Vec<&str> = sites.iter().map(label).collect();

    // As each site's user, in its directory, in the selector's order.
    let script = "echo \"$PRESSROOM_SITE $PRESSROOM_URL\"; pwd; id -u; echo oops >&2";
    let all = ["run", "--on", "all", "--", "sh", "-c", script];
    let ran = server.cli(&all, "").await?;
    ensure!(ran.code == 0, "{ran:?}");
    let mut expected = Vec::new();
    for site in &sites {
        let owner = fs::metadata(&site.root)?.uid();
        ensure!(owner != 0, "a site belongs to root");
        for line in [
            format!("{} {}", site.id, site.url),
            site.root.display().to_string(),
            owner.to_string(),
        ] {
            expected.push(format!("{}: {line}\n", label(site)));
        }
    }
    assert_eq!(ran.stdout, expected.concat());
    for label in &labels {
        ensure!(ran.stderr.contains(&format!("{label}: oops\n")), "{ran:?}");
    }
    ensure!(ran.stderr.contains(": 4 sites: 4 done\n"), "{ran:?}");

    // One ends with 3, one is killed, one is not there, one hangs: nobody waits for it.
    let away = home(&sites[2])?.join("away");
    fs::rename(&sites[2].root, &away)?;
    let script = "case \"$PRESSROOM_URL\" in *//a.*) echo fine;; *//b.*) exit 3;; \
                  *) sleep 300;; esac";
    let begun = Instant::now();
    let ran = server
        .cli(
            &[
                "run",
                "--on",
                "all",
                "--timeout",
                "2s",
                "--",
                "sh",
                "-c",
                script,
            ],
            "",
        )
        .await?;
    ensure!(ran.code == 1, "{ran:?}");
    ensure!(
        begun.elapsed() < Duration::from_secs(30),
        "{:?}",
        begun.elapsed()
    );
    fs::rename(&away, &sites[2].root)?;
    assert_eq!(ran.stdout, format!("{}: fine\n", labels[0]));
    ensure!(
        ran.stderr
            .contains(&format!("{}: ended with status 3\n", labels[1]))
            && ran
                .stderr
                .contains(&format!("{}: `public_html` does not exist\n", labels[2]))
            && ran
                .stderr
                .contains(&format!("{}: did not end in time", labels[3]))
            && ran
                .stderr
                .contains(": 4 sites: 1 done, 2 failed, 1 timed out\n"),
        "{ran:?}"
    );
    let run = newest(&fixture).await?;
    let shown = items(&fixture, run["id"].as_str().context("an id")?).await?;
    assert_eq!(states(&shown), ["done", "failed", "failed", "timed_out"]);
    assert_eq!(shown[1]["exit_code"], 3);
    // Everything goes on at all of them.
    for site in &sites {
        assert_eq!(site.get("/").await?.status, 200);
    }

    // JSON: a value an item, then the run.
    let json = server
        .cli(
            &[
                "--json",
                "run",
                "--on",
                "domain:b.run.press.example",
                "--",
                "printf",
                "a\\377\\n",
            ],
            "",
        )
        .await?;
    let values: Vec<Value> = json
        .stdout
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!((values.len(), json.code), (2, 0), "{json:?}");
    assert_eq!(values[0]["stdout"], "a\u{fffd}\n");
    assert_eq!(values[1]["items"], serde_json::json!({ "done": 1 }));
    // What was printed is kept as it was.
    let id = values[1]["id"].as_str().context("an id")?;
    let shown = server
        .cli(&["run", "show", id, "--site", labels[1]], "")
        .await?;
    assert_eq!(shown.stdout, "a\u{fffd}\n", "read lossily here: {shown:?}");

    // The wrong selector, none at all, and a look beforehand.
    let bad = server
        .cli(&["run", "--on", "plugn:x", "--", "true"], "")
        .await?;
    ensure!(
        bad.code == 2 && bad.stderr.contains("  plugn:x\n  ^^^^^ there is no field"),
        "{bad:?}"
    );
    let none = ["run", "--on", "domain:nowhere.example", "--", "true"];
    let none = server.cli(&none, "").await?;
    ensure!(
        none.code == 3 && none.stderr.contains("names no site"),
        "{none:?}"
    );
    let dry = ["run", "--on", "all", "--dry-run", "--", "touch", "../dry"];
    let dry = server.cli(&dry, "").await?;
    assert_eq!((dry.code, dry.stdout.lines().count()), (0, 4), "{dry:?}");
    ensure!(!home(&sites[0])?.join("dry").exists());

    // A selector keeps to its account.
    add_owner(server, "other@press.example", "Other").await?;
    let other = ["domain", "add", "e.run.press.example", "--account", "Other"];
    server.cli(&other, "").await?.line()?;
    let none = ["run", "--on", "account:Other", "--", "true"];
    assert_eq!(server.cli(&none, "").await?.code, 3);
    let own = format!("account:\"{ACCOUNT}\"");
    let own = ["run", "--on", &own, "--jobs", "1", "--", "touch", "../own"];
    assert_eq!(server.cli(&own, "").await?.code, 0);
    for site in &sites {
        ensure!(home(site)?.join("own").exists());
    }
    Ok(())
}

#[tokio::test]
async fn a_run_is_stopped_cut_off_and_resumed() -> Result<()> {
    let mut fixture = Fixture::start(Options {
        config: SHORT_LEASES.to_owned(),
        ..Options::default()
    })
    .await?;
    let sites = sites(&fixture, "stop.press.example", &["a", "b", "c"]).await?;
    let homes: Vec<PathBuf> = sites.iter().map(home).collect::<Result<_>>()?;
    let begun = |marker: &'static str, least: usize| {
        let homes = homes.clone();
        async move {
            eventually("commands that run", SOON, || async {
                let there = homes.iter().filter(|it| it.join(marker).exists()).count();
                ensure!(there >= least, "{there}");
                Ok(())
            })
            .await
        }
    };
    let pids = |marker: &str| -> Vec<String> {
        homes
            .iter()
            .filter_map(|home| fs::read_to_string(home.join(marker)).ok())
            .collect()
    };

    // Ctrl-C: what runs is ended, what waits never begins, and all of it is told.
    let slow = "echo $$ > ../stopped; sleep 300";
    let run = fixture.server.begin_cli(&[
        "run",
        "--on",
        "all",
        "--jobs",
        "2",
        "--timeout",
        "10m",
        "--",
        "sh",
        "-c",
        slow,
    ])?;
    begun("stopped", 2).await?;
    // A site has one writer: anything else is told to wait.
    let flush = ["cache", "flush", "a.stop.press.example"];
    let flush = fixture.server.cli(&flush, "").await?;
    ensure!(flush.code == 5, "{flush:?}");
    let asked = Instant::now();
    run.signal(Signal::INT)?;
    let ended = run.ended().await?;
    ensure!(ended.code == 130, "{ended:?}");
    ensure!(
        asked.elapsed() < Duration::from_secs(30),
        "{:?}",
        asked.elapsed()
    );
    ensure!(
        ended.stderr.contains(": 3 sites: 3 cancelled\n"),
        "{ended:?}"
    );
    for pid in pids("stopped") {
        ensure!(!runs(&pid), "{pid} still runs");
    }
    assert_eq!(pids("stopped").len(), 2);
    let first = newest(&fixture).await?;
    assert_eq!(first["state"], "cancelled", "{first}");
    let id = first["id"].as_str().context("an id")?.to_owned();

    // Only what never began is begun unasked.
    let resumed = fixture.server.begin_cli(&["run", "resume", &id])?;
    begun("stopped", 3).await?;
    resumed.signal(Signal::TERM)?;
    let resumed = resumed.ended().await?;
    ensure!(resumed.code == 130, "{resumed:?}");
    ensure!(
        resumed.stderr.contains(": 1 site: 1 cancelled\n"),
        "{resumed:?}"
    );

    // A power cut: what ran is told to be interrupted and is not begun again; the rest is
    // done by the next worker.
    let counted = "echo x >> ../counted; sleep 4";
    let run = fixture.server.begin_cli(&[
        "run", "--on", "all", "--jobs", "2", "--", "sh", "-c", counted,
    ])?;
    begun("counted", 2).await?;
    fixture.server.restart().await?;
    let ended = run.ended().await?;
    ensure!(ended.code == 1, "{ended:?}");
    ensure!(
        ended.stderr.contains(": 3 sites: 1 done, 2 interrupted\n"),
        "{ended:?}"
    );
    ensure!(
        ended.stderr.contains("nobody knows how far it came"),
        "{ended:?}"
    );
    for home in &homes {
        assert_eq!(fs::read_to_string(home.join("counted"))?, "x\n");
    }
    let cut = newest(&fixture).await?;
    let id = cut["id"].as_str().context("an id")?.to_owned();
    let shown = items(&fixture, &id).await?;
    assert_eq!(states(&shown), ["interrupted", "interrupted", "done"]);
    let nothing = fixture.server.cli(&["run", "resume", &id], "").await?;
    ensure!(
        nothing.code == 1 && nothing.stderr.contains("--again"),
        "{nothing:?}"
    );
    let again = fixture
        .server
        .cli(&["run", "resume", &id, "--again"], "")
        .await?;
    ensure!(
        again.code == 0 && again.stderr.contains(": 2 sites: 2 done\n"),
        "{again:?}"
    );

    // A polite end of the server cuts nothing off, and the next life goes on.
    let polite = "echo x >> ../polite; sleep 3";
    let run = fixture.server.begin_cli(&[
        "run", "--on", "all", "--jobs", "1", "--", "sh", "-c", polite,
    ])?;
    begun("polite", 1).await?;
    fixture.server.stop()?;
    fixture.server.launch().await?;
    let ended = run.ended().await?;
    ensure!(
        ended.code == 0 && ended.stderr.contains(": 3 sites: 3 done\n"),
        "{ended:?}"
    );
    for home in &homes {
        assert_eq!(fs::read_to_string(home.join("polite"))?, "x\n");
    }

    // A command line that is killed stops nothing.
    let lonely = "echo x >> ../lonely; sleep 1";
    let run = fixture.server.begin_cli(&[
        "run", "--on", "all", "--jobs", "1", "--", "sh", "-c", lonely,
    ])?;
    begun("lonely", 1).await?;
    run.signal(Signal::KILL)?;
    run.ended().await?;
    let id = newest(&fixture).await?["id"]
        .as_str()
        .context("an id")?
        .to_owned();
    let followed = fixture.server.cli(&["run", "resume", &id], "").await?;
    ensure!(
        followed.code == 0 && followed.stderr.contains(": 3 sites: 3 done\n"),
        "{followed:?}"
    );
    Ok(())
}
