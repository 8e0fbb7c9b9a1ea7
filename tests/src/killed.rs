//! One shape for everything that is killed at random moments: ask by the command line,
//! SIGKILL the server, start it again, wait until nothing is under way, look.

use crate::fixture::{Fixture, SHORT_LEASES};
use anyhow::{Context, Result, ensure};
use pressroom_testkit::Options;
use pressroom_testkit::chance::Chance;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often a test kills: `long` in the long form of the check.
pub fn rounds(short: u32, long: u32) -> u32 {
    if std::env::var("PRESSROOM_LONG").is_ok_and(|value| value == "1") {
        long
    } else {
        short
    }
}

/// A server whose next life takes over soon.
pub async fn fixture() -> Result<Fixture> {
    Fixture::start(Options {
        config: SHORT_LEASES.to_owned(),
        ..Options::default()
    })
    .await
}

/// Runs a command that must succeed; how long that takes.
pub async fn timed(fixture: &Fixture, asked: &[&str]) -> Result<Duration> {
    let started = Instant::now();
    fixture.server.cli(asked, "").await?.line()?;
    Ok(started.elapsed())
}

/// Kills at random moments.
#[derive(Debug)]
pub struct Killer {
    chance: Chance,
    round: u32,
    interrupted: u32,
}

/// What became of one round.
#[derive(Debug)]
pub struct Round {
    /// The round and its job, for messages.
    pub about: String,
    /// The job of this round; a kill may also come before there is any.
    pub job: Option<Value>,
}

impl Round {
    /// Whether there was a job, and it was done.
    pub fn completed(&self) -> bool {
        self.job
            .as_ref()
            .is_some_and(|job| job["state"] == "completed")
    }
}

impl Killer {
    /// Seeded as the environment says.
    pub fn new() -> Self {
        Self {
            chance: Chance::new(),
            round: 0,
            interrupted: 0,
        }
    }

    /// Asks for something, kills the server within `typical`, starts it again and waits
    /// for the end of all jobs. That of this round is in a final state, and not `dead`.
    pub async fn round(
        &mut self,
        fixture: &mut Fixture,
        asked: &[&str],
        typical: Duration,
    ) -> Result<Round> {
        let known = fixture.settled_jobs().await?.len();
        let delay = self.chance.up_to(typical);
        let answered = tokio::time::timeout(delay, fixture.server.cli(asked, "")).await;
        self.interrupted += u32::from(answered.is_err());
        fixture.server.restart().await?;
        let jobs = fixture.settled_jobs().await?;
        let job = (jobs.len() > known)
            .then(|| jobs.first().cloned())
            .flatten();
        let about = format!("round {}, killed after {delay:?}: {job:?}", self.round);
        self.round += 1;
        if let Some(job) = &job {
            let state = job["state"].as_str().context("a state")?;
            ensure!(["completed", "failed"].contains(&state), "{about}");
        }
        Ok(Round { about, job })
    }

    /// Otherwise the test has shown nothing.
    pub fn came_in_time(&self) -> Result<()> {
        ensure!(
            self.interrupted > 0,
            "no kill came in time to interrupt anything"
        );
        Ok(())
    }
}

impl Default for Killer {
    fn default() -> Self {
        Self::new()
    }
}
