//! Two hundred clients for a minute: none meets an error of the server, and none of
//! what they did leaves a site behind as it should not be.

use anyhow::{Result, ensure};
use pressroom_testkit::{
    Options,
    api::{Api, Reply},
    site::Site,
};
use pressroom_tests::{fixture::Fixture, killed::rounds};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time};

const CLIENTS: u32 = 200;
const DOMAINS: [&str; 4] = [
    "one.press.example",
    "two.press.example",
    "three.press.example",
    "four.press.example",
];
/// A key is good for one request a second, and so is a client.
const PACE: Duration = Duration::from_secs(1);
/// Not all in the same instant of each second.
const APART: Duration = Duration::from_millis(5);
/// One request in so many writes.
const WRITES: u32 = 8;

/// What was asked, in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Read,
    Write,
    Control,
}

struct Answered {
    what: What,
    status: u16,
    /// The error's code, or nothing.
    code: String,
    took: Duration,
    text: String,
}

impl Answered {
    fn of(what: What, reply: &Reply, took: Duration) -> Self {
        Self {
            what,
            status: reply.status,
            code: reply.body["code"].as_str().unwrap_or_default().to_owned(),
            took,
            text: if reply.status < 400 {
                String::new()
            } else {
                reply.text.clone()
            },
        }
    }
}

/// The `n`th read of a client, of the site with this id.
fn read(n: u32, id: &str, job: &str) -> String {
    let base = "/api/v1/wordpress";
    match n % 7 {
        0 => format!("{base}/installations"),
        1 => format!("{base}/status"),
        2 => format!("{base}/plugins?id={id}"),
        3 => format!("{base}/themes?id={id}"),
        4 => format!("{base}/backups?id={id}"),
        5 => format!("{base}/install/{job}/progress"),
        _ => format!("{base}/installation?id={id}"),
    }
}

/// The `n`th write of a client.
fn write(n: u32, client: u32, id: &str) -> (String, Value) {
    let base = "/api/v1/wordpress";
    match n % 4 {
        0 => (
            format!("{base}/maintenance"),
            json!({ "id": id, "enabled": n.is_multiple_of(8) }),
        ),
        1 => (
            format!("{base}/admin/create"),
            json!({
                "id": id, "username": format!("ops{client}-{n}"), "role": "editor",
                "email": format!("ops{client}-{n}@press.example"),
            }),
        ),
        2 => (
            format!("{base}/search-replace"),
            json!({ "id": id, "search": "no such text", "replace": "x", "dry_run": true }),
        ),
        _ => (format!("{base}/auto-login"), json!({ "id": id })),
    }
}

async fn client(
    api: Api,
    number: u32,
    site: String,
    job: String,
    rounds: u32,
) -> Result<Vec<Answered>> {
    time::sleep(APART * number).await;
    let mut beat = time::interval(PACE);
    beat.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let mut answered = Vec::new();
    for round in 0..rounds {
        beat.tick().await;
        let begun = Instant::now();
        let turn = number + round;
        answered.push(if turn.is_multiple_of(WRITES) {
            let (path, body) = write(turn / WRITES, number, &site);
            let reply = api.post(&path, &body).await?;
            Answered::of(What::Write, &reply, begun.elapsed())
        } else {
            let reply = api.get(&read(turn, &site, &job)).await?;
            Answered::of(What::Read, &reply, begun.elapsed())
        });
    }
    Ok(answered)
}

/// A route that does next to nothing, asked while all that goes on.
async fn control(api: Api, time: Duration) -> Result<Vec<Answered>> {
    let end = Instant::now() + time;
    let mut answered = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        let reply = api.get("/healthz").await?;
        answered.push(Answered::of(What::Control, &reply, begun.elapsed()));
        time::sleep(Duration::from_millis(50)).await;
    }
    Ok(answered)
}

/// What `percent` of them did not exceed.
fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

/// Prints times by kind; fails for what no client should be told.
fn judge(answered: &[Answered]) -> Result<()> {
    let mut times: BTreeMap<What, Vec<Duration>> = BTreeMap::new();
    let mut statuses: BTreeMap<(What, u16, &str), usize> = BTreeMap::new();
    for one in answered {
        times.entry(one.what).or_default().push(one.took);
        *statuses
            .entry((one.what, one.status, &one.code))
            .or_default() += 1;
    }
    for (what, times) in &mut times {
        times.sort_unstable();
        let (half, most) = (at(times, 50), at(times, 99));
        eprintln!(
            "{what:?}: {} answers, p50 {half:.1?}, p99 {most:.1?}",
            times.len()
        );
    }
    eprintln!("{statuses:#?}");
    let wrong: Vec<_> = answered
        .iter()
        .filter(|one| !matches!(one.status, 200 | 201 | 409))
        .map(|one| (one.what, one.status, &one.text))
        .collect();
    ensure!(
        wrong.is_empty(),
        "{} answers, such as {:?}",
        wrong.len(),
        wrong[0]
    );
    let read_conflicts = answered
        .iter()
        .any(|one| one.what != What::Write && one.status == 409);
    ensure!(!read_conflicts, "a read was refused");
    let done = answered
        .iter()
        .any(|one| one.what == What::Write && one.status < 300);
    ensure!(done, "nothing was written");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_meet_no_error_of_the_server() -> Result<()> {
    let fixture = Fixture::start(Options::default()).await?;
    let mut sites: Vec<Site> = Vec::new();
    for domain in DOMAINS {
        sites.push(fixture.install(domain).await?);
    }
    let jobs = fixture.settled_jobs().await?;
    let job = jobs[0]["public_id"].as_str().unwrap_or_default().to_owned();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(fixture.server.api(Some(&fixture.fresh_token().await?))?);
    }

    let rounds = rounds(12, 60);
    let mut running = JoinSet::new();
    for (number, api) in (0..).zip(clients) {
        let site = sites[number as usize % sites.len()].id.clone();
        running.spawn(client(api, number, site, job.clone(), rounds));
    }
    let seconds = PACE * rounds;
    running.spawn(control(fixture.server.api(None)?, seconds));
    let mut answered = Vec::new();
    while let Some(ended) = running.join_next().await {
        answered.extend(ended??);
    }
    judge(&answered)?;

    fixture.settled_jobs().await?;
    for site in &sites {
        let body = json!({ "id": site.id, "enabled": false });
        fixture.change("/maintenance", &body).await?.expect(200)?;
        ensure!(
            site.get("/").await?.status == 200,
            "{} is not served",
            site.url
        );
    }
    fixture.server.cli(&["doctor"], "").await?.line()?;
    Ok(())
}
