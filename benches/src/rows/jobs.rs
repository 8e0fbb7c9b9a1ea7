//! What a job costs beside its work: enqueued, claimed, recorded, finished.

use crate::table::{Row, Table, shown};
use anyhow::{Result, ensure};
use async_trait::async_trait;
use pressroom_base::keyring::Keyring;
use pressroom_jobs::{
    Interruption, JobContext, JobFailure, JobKind, Lane, NewJob, Registry, Runner, RunnerConfig,
    enqueue,
};
use pressroom_store::{Store, jobs};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, sqlite::SqliteConnectOptions};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const JOBS: u32 = 500;

struct Nothing;

#[async_trait]
impl JobKind for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }
    fn lane(&self) -> Lane {
        Lane::Read
    }
    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }
    async fn run(&self, _ctx: &JobContext) -> Result<serde_json::Value, JobFailure> {
        Ok(serde_json::Value::Null)
    }
}

pub fn measure(table: &mut Table) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let runtime = Runtime::new()?;
    let ours = runtime.block_on(run_jobs(dir.path()))?;
    let bare = runtime.block_on(bare_commits(dir.path()))?;
    table.push(Row::told(
        &format!("job overhead, each of {JOBS}"),
        shown(ours / JOBS),
        Some(format!("three bare SQLite commits {}", shown(bare / JOBS))),
    ));
    Ok(())
}

async fn run_jobs(dir: &Path) -> Result<Duration> {
    let keyring = Keyring::parse(Keyring::generate().expose())?;
    let url = format!("sqlite://{}", dir.join("jobs.db").display());
    let store = Store::open(&url, keyring).await?;
    let stop = CancellationToken::new();
    let runner = Runner::new(
        store.clone(),
        Registry::new().with(Nothing),
        RunnerConfig::default(),
    );
    let running = tokio::spawn(runner.run(stop.clone()));
    let begun = Instant::now();
    for _ in 0..JOBS {
        let tx = store.begin().await?;
        let mut job = NewJob::new("nothing", serde_json::Value::Null);
        job.lane = Lane::Read;
        enqueue(&tx, job).await?;
        tx.commit().await?;
    }
    loop {
        let counts = jobs::count_by_state(&store).await?;
        let done = counts.iter().find(|(state, _)| state == "completed");
        if done.is_some_and(|(_, count)| *count >= u64::from(JOBS)) {
            break;
        }
        ensure!(begun.elapsed() < Duration::from_mins(2), "{counts:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = begun.elapsed();
    stop.cancel();
    running.await?;
    Ok(took)
}

/// The least that could be done: a row inserted, claimed and finished, one durable
/// transaction each.
async fn bare_commits(dir: &Path) -> Result<Duration> {
    let mut connection = SqliteConnectOptions::new()
        .filename(dir.join("bare.db"))
        .create_if_missing(true)
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Normal)
        .connect()
        .await?;
    connection
        .execute("CREATE TABLE job (id INTEGER PRIMARY KEY, state TEXT, epoch INTEGER)")
        .await?;
    let begun = Instant::now();
    for _ in 0..JOBS {
        connection
            .execute("INSERT INTO job (state, epoch) VALUES ('queued', 0)")
            .await?;
        connection
            .execute("UPDATE job SET state = 'running', epoch = epoch + 1 WHERE id = (SELECT id FROM job WHERE state = 'queued' LIMIT 1)")
            .await?;
        connection
            .execute("UPDATE job SET state = 'completed' WHERE state = 'running'")
            .await?;
    }
    let took = begun.elapsed();
    connection.close().await?;
    Ok(took)
}
