//! Two nodes on one PostgreSQL, one of them killed while both are busy: what was asked for
//! is there once, what happened is told once, and nothing is forgotten.

use anyhow::{Context, Result, bail, ensure};
use pressroom_testkit::{
    Database, Options,
    api::{Api, Reply},
    eventually, postgres,
    receiver::{Manner, Received, Receiver},
};
use pressroom_tests::{
    fixture::{ACCOUNT, EMAIL, Fixture, SHORT_LEASES},
    killed::rounds,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

const WRITERS: u32 = 12;
const DOMAINS: [&str; 3] = [
    "one.press.example",
    "two.press.example",
    "three.press.example",
];
/// How long a program goes on asking before it gives up.
const PATIENCE: Duration = Duration::from_mins(2);
const MESSAGES: Duration = Duration::from_mins(3);

/// Both nodes, as a program sees them that asks the other when one does not answer.
#[derive(Clone)]
struct Nodes([Api; 2]);

/// What became of a request.
struct Done {
    reply: Reply,
    /// Whether it was asked more than once.
    is_repeated: bool,
}

impl Nodes {
    /// Asks one, and whoever answers, until it is done; always with the same key.
    async fn surely(
        &self,
        first: u32,
        (method, path): (Method, &str),
        key: &str,
        body: Option<&Value>,
    ) -> Result<Done> {
        let begun = Instant::now();
        let mut last = String::new();
        for attempt in 0.. {
            ensure!(begun.elapsed() < PATIENCE, "{method} {path}: {last}");
            let node = &self.0[(first as usize + attempt) % 2];
            let headers = [("idempotency-key", key)];
            let body = body.map(Value::to_string);
            match node.send(method.clone(), path, &headers, body).await {
                // A site that is being looked for is let go afterwards.
                Ok(reply) if reply.text.contains("is running") => last = reply.text,
                Ok(reply) => {
                    return Ok(Done {
                        reply,
                        is_repeated: attempt > 0,
                    });
                }
                Err(error) => last = format!("{error:#}"),
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("nobody answers")
    }

    async fn all(&self, path: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for page in 1.. {
            let with = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{with}per_page=100&page={page}");
            let reply = self.0[1].get(&path).await?.expect(200)?;
            let rows = reply.body.as_array().context("a list")?.clone();
            if rows.is_empty() {
                break;
            }
            all.extend(rows);
        }
        Ok(all)
    }
}

/// What a program did with the sites that it added.
#[derive(Default)]
struct Ledger {
    /// By address; those that were not let go again.
    kept: BTreeSet<String>,
    gone: BTreeSet<String>,
    repeated: u32,
}

/// Adds sites, changes them, lets go of two in three.
async fn write(nodes: Nodes, number: u32, turns: u32) -> Result<Ledger> {
    let mut ledger = Ledger::default();
    for turn in 0..turns {
        let url = format!("https://s{turn}.w{number}.example");
        let key = |what: &str| format!("{what}-{number}-{turn}");
        let node = number + turn;
        let body = json!({ "name": format!("Site {turn}"), "url": url });
        let asked = (Method::POST, "/api/v1/sites");
        let added = nodes.surely(node, asked, &key("add"), Some(&body)).await?;
        ledger.repeated += u32::from(added.is_repeated);
        let id = match added.reply.status {
            201 => added.reply.string("id")?,
            // Killed between the deed and its answer: who asks again is told that it is there.
            422 if added.is_repeated => {
                ensure!(
                    added.reply.text.contains("already been taken"),
                    "{}",
                    added.reply.text
                );
                let found = nodes
                    .all(&format!("/api/v1/sites?q=s{turn}.w{number}."))
                    .await?;
                ensure!(found.len() == 1, "{found:?}");
                found[0]["id"].as_str().context("an id")?.to_owned()
            }
            _ => bail!("{url}: {} {}", added.reply.status, added.reply.text),
        };
        let path = format!("/api/v1/sites/{id}");
        let tags = json!({ "tags": [format!("t{turn}")] });
        let asked = (Method::PATCH, path.as_str());
        let changed = nodes
            .surely(node + 1, asked, &key("tag"), Some(&tags))
            .await?;
        changed.reply.expect(200)?;
        if turn % 3 == 0 {
            ledger.kept.insert(url);
            continue;
        }
        let asked = (Method::DELETE, path.as_str());
        let deleted = nodes.surely(node, asked, &key("delete"), None).await?;
        let was_done = deleted.is_repeated && deleted.reply.status == 404;
        ensure!(
            deleted.reply.status == 204 || was_done,
            "{url}: {} {}",
            deleted.reply.status,
            deleted.reply.text
        );
        ledger.gone.insert(url);
    }
    Ok(ledger)
}

/// Has backups of a site taken, one after the other; the jobs that it was promised.
async fn back_up(nodes: Nodes, site: String, turns: u32) -> Result<Vec<String>> {
    let mut jobs = Vec::new();
    for turn in 0..turns {
        let key = format!("backup-{site}-{turn}");
        let asked = (Method::POST, "/api/v1/wordpress/backup");
        let body = json!({ "id": site });
        let begun = Instant::now();
        let job = loop {
            ensure!(begun.elapsed() < PATIENCE, "no backup of {site}");
            let done = nodes.surely(turn, asked.clone(), &key, Some(&body)).await?;
            match done.reply.status {
                201 => break done.reply.string("job_id")?,
                409 | 429 => sleep(Duration::from_millis(300)).await,
                _ => bail!("{} {}", done.reply.status, done.reply.text),
            }
        };
        jobs.push(job);
    }
    Ok(jobs)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_nodes_killed_under_load_loses_and_doubles_nothing() -> Result<()> {
    let mut fixture = Fixture::start(Options {
        database: Database::Postgres(postgres::database().await?),
        config: format!("{SHORT_LEASES}\n[outgoing]\nallow_private = \"127.0.0.1\"\n"),
        ..Options::default()
    })
    .await?;
    let mut sites = Vec::new();
    for domain in DOMAINS {
        sites.push(fixture.install(domain).await?);
    }
    let (calm, moody) = (
        Receiver::that(Manner::Ok).await,
        Receiver::that(Manner::Ok).await,
    );
    for receiver in [&calm, &moody] {
        let words = ["webhook", "add", &receiver.url(), "--account", ACCOUNT];
        fixture.server.cli(&words, "").await?.line()?;
    }
    // One is lost on its way and comes again. Twice would take minutes.
    moody.next(&[Manner::Drop]);
    let words = ["token", "add", "--user", EMAIL, "--kind", "api"];
    let token = fixture.server.cli(&words, "").await?.line()?;
    let port = fixture.server.start_second().await?;
    let other = Api::new(&format!("http://127.0.0.1:{port}"), None)?;
    let first = fixture.server.api(None)?;
    let nodes = |token: &str| Nodes([first.with_token(Some(token)), other.with_token(Some(token))]);

    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        writers.spawn(write(nodes(&token), number, rounds(9, 60)));
    }
    let mut backups = JoinSet::new();
    for site in &sites {
        let panel = nodes(&fixture.fresh_token().await?);
        backups.spawn(back_up(panel, site.id.clone(), rounds(5, 20)));
    }
    sleep(Duration::from_secs(4)).await;
    fixture.server.kill9()?;
    ensure!(!writers.is_empty(), "the load was over before the kill");

    let mut all = Ledger::default();
    while let Some(ended) = writers.join_next().await {
        let ledger = ended??;
        all.kept.extend(ledger.kept);
        all.gone.extend(ledger.gone);
        all.repeated += ledger.repeated;
    }
    let mut promised = Vec::new();
    while let Some(ended) = backups.join_next().await {
        promised.extend(ended??);
    }
    ensure!(all.repeated > 0, "the kill met no request");
    let nodes = nodes(&token);
    let kept = judge(&fixture, &nodes, &all, &promised).await?;
    let again = told_once(kept, [&calm, &moody]).await?;
    eprintln!(
        "{} sites added, {} let go, {kept} of {} backups taken, {} requests repeated, {again} \
         messages came twice",
        all.kept.len() + all.gone.len(),
        all.gone.len(),
        promised.len(),
        all.repeated
    );

    // What was killed comes back and finds nothing to do again.
    fixture.server.launch().await?;
    sleep(Duration::from_secs(8)).await;
    ensure!(judge(&fixture, &nodes, &all, &promised).await? == kept);
    ensure!(told_once(kept, [&calm, &moody]).await? == again);
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}

/// Sites, their history and the jobs are as the programs were told; answers how many
/// backups were taken.
async fn judge(
    fixture: &Fixture,
    nodes: &Nodes,
    all: &Ledger,
    promised: &[String],
) -> Result<usize> {
    let urls = |rows: &[Value], at: &str| -> Vec<String> {
        rows.iter()
            .filter_map(|row| row.pointer(at)?.as_str().map(str::to_owned))
            .filter(|url| url.starts_with("https://s"))
            .collect()
    };
    let listed = urls(&nodes.all("/api/v1/sites").await?, "/url");
    ensure!(
        listed.len() == all.kept.len() && listed.iter().all(|url| all.kept.contains(url)),
        "{listed:?}\nand not\n{:?}",
        all.kept
    );
    for (event, expected) in [
        ("site.created", all.kept.len() + all.gone.len()),
        ("site.forgotten", all.gone.len()),
    ] {
        let lines = nodes
            .all(&format!("/api/v1/activity_logs?event={event}"))
            .await?;
        let mut sites: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &lines {
            *sites
                .entry(line["subject"]["id"].as_str().unwrap_or_default())
                .or_default() += 1;
        }
        ensure!(
            sites.len() == expected && sites.values().all(|times| *times == 1),
            "{event}: {} of {expected}: {sites:?}",
            sites.len()
        );
    }
    let taken = backups(fixture).await?;
    ensure!(
        taken.len() == promised.len(),
        "{} backups, {} promised",
        taken.len(),
        promised.len()
    );
    let mut completed = 0;
    for job in promised {
        let found: Vec<_> = taken
            .iter()
            .filter(|one| one["public_id"] == job.as_str())
            .collect();
        ensure!(found.len() == 1, "{job}: {found:?}");
        let is_completed = found[0]["state"] == "completed";
        completed += usize::from(is_completed);
        let is_told = is_completed || found[0].to_string().contains("Interrupted");
        ensure!(is_told, "{}", found[0]);
    }
    let listed = fixture.server.cli_json(&["snapshot", "list"]).await?;
    let listed = listed.as_array().context("a list of snapshots")?;
    let whole = listed.iter().filter(|one| one["state"] != "failed").count();
    ensure!(whole == completed, "{whole} snapshots of {completed} jobs");
    Ok(completed)
}

/// The jobs that take backups, once all are over. Sites that cannot be connected are tried
/// again for ever.
async fn backups(fixture: &Fixture) -> Result<Vec<Value>> {
    eventually("the end of all backups", PATIENCE, || async {
        let words = ["job", "list", "--limit", "10000"];
        let jobs = fixture.server.cli_json(&words).await?;
        let jobs = jobs.as_array().context("a list of jobs")?;
        let backups = jobs.iter().filter(|job| job["kind"] == "site_snapshot");
        let backups: Vec<_> = backups.cloned().collect();
        let is_open = |job: &&Value| job["state"] == "queued" || job["state"] == "running";
        ensure!(!backups.iter().any(|job| is_open(&job)), "{backups:?}");
        Ok(backups)
    })
    .await
}

/// Each receiver has heard of each backup, by one name; answers how many messages came
/// again, which may be: the sender was killed before it knew.
async fn told_once(taken: usize, receivers: [&Receiver; 2]) -> Result<usize> {
    let mut again = 0;
    for receiver in receivers {
        let heard = eventually("every message", MESSAGES, || async {
            let heard = heard(&receiver.received())?;
            ensure!(heard.len() == taken, "{} of {taken}", heard.len());
            Ok(heard)
        })
        .await?;
        for (snapshot, ids) in &heard {
            let names: BTreeSet<_> = ids.iter().collect();
            ensure!(names.len() == 1, "{snapshot} was told as {names:?}");
            again += ids.len() - 1;
        }
    }
    Ok(again)
}

/// The snapshots that a receiver was told of, with the name of each message that it took.
fn heard(received: &[Received]) -> Result<BTreeMap<String, Vec<String>>> {
    let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in received.iter().filter(|one| one.manner == Manner::Ok) {
        let body: Value = serde_json::from_str(&one.body)?;
        if body["event"] == "snapshot.created" {
            let snapshot = body["data"]["snapshot_id"].as_str().context("an id")?;
            let ids = heard.entry(snapshot.to_owned()).or_default();
            ids.push(one.id().to_owned());
        }
    }
    Ok(heard)
}
