//! A database of its own for each test, a kind whose code the test writes, and
//! waiting for what must come.

use futures_util::future::BoxFuture;
use pressroom_base::{id::JobId, keyring::Keyring};
use pressroom_jobs::{
    Interruption, JobContext, JobFailure, JobKind, JobRow, Lane, NewJob, Registry, RetryPolicy,
    Runner, RunnerConfig, enqueue,
};
use pressroom_store::{Store, jobs};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(30);

type Code<T> = Arc<dyn Fn(JobContext) -> BoxFuture<'static, Result<T, JobFailure>> + Send + Sync>;

/// A kind named `test`.
#[derive(Clone)]
pub struct Script {
    pub interruption: Interruption,
    pub retry: RetryPolicy,
    pub undo_unbegun: bool,
    pub last_step: Option<&'static str>,
    run: Code<Value>,
    undo: Code<()>,
    /// Why each undo was called.
    pub undone: Arc<Mutex<Vec<JobFailure>>>,
}

impl Script {
    pub fn new<F>(run: impl Fn(JobContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Value, JobFailure>> + Send + 'static,
    {
        Self {
            interruption: Interruption::Resume,
            retry: RetryPolicy {
                base: Duration::from_millis(1),
                cap: Duration::from_millis(5),
                ..RetryPolicy::transport()
            },
            undo_unbegun: false,
            last_step: None,
            run: Arc::new(move |ctx| Box::pin(run(ctx))),
            undo: Arc::new(|_| Box::pin(async { Ok(()) })),
            undone: Arc::default(),
        }
    }

    pub fn undo<F>(mut self, undo: impl Fn(JobContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), JobFailure>> + Send + 'static,
    {
        self.undo = Arc::new(move |ctx| Box::pin(undo(ctx)));
        self
    }

    pub fn reasons(&self) -> Vec<String> {
        let undone = self.undone.lock().unwrap();
        undone.iter().map(|why| why.message.clone()).collect()
    }
}

#[async_trait::async_trait]
impl JobKind for Script {
    fn name(&self) -> &'static str {
        "test"
    }
    fn lane(&self) -> Lane {
        Lane::Write
    }
    fn retry(&self) -> RetryPolicy {
        self.retry
    }
    fn interruption(&self) -> Interruption {
        self.interruption
    }
    fn undo_unbegun(&self) -> bool {
        self.undo_unbegun
    }
    fn last_step(&self) -> Option<&'static str> {
        self.last_step
    }
    async fn run(&self, ctx: &JobContext) -> Result<Value, JobFailure> {
        (self.run)(ctx.clone()).await
    }
    async fn undo(&self, ctx: &JobContext, why: &JobFailure) -> Result<(), JobFailure> {
        self.undone.lock().unwrap().push(why.clone());
        (self.undo)(ctx.clone()).await
    }
}

pub struct Base {
    pub url: String,
    pub keyring: Keyring,
    pub store: Store,
    _directory: tempfile::TempDir,
}

impl Base {
    pub async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/pressroom.db", directory.path().display());
        Self::open(url, directory).await
    }

    pub async fn postgres() -> Self {
        let url = pressroom_testkit::postgres::database().await.unwrap();
        Self::open(url, tempfile::tempdir().unwrap()).await
    }

    async fn open(url: String, directory: tempfile::TempDir) -> Self {
        let keyring = Keyring::parse(Keyring::generate().expose()).unwrap();
        Self {
            store: Store::open(&url, keyring.clone()).await.unwrap(),
            url,
            keyring,
            _directory: directory,
        }
    }

    /// The same database as another process sees it.
    pub async fn other_process(&self) -> Store {
        Store::open(&self.url, self.keyring.clone()).await.unwrap()
    }

    pub fn start(&self, script: &Script) -> Running {
        Running::start(&self.store, script, config())
    }

    pub async fn enqueue(&self, job: NewJob) -> JobId {
        let tx = self.store.begin().await.unwrap();
        let id = enqueue(&tx, job).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub async fn job(&self, id: JobId) -> JobRow {
        jobs::get(&self.store, id).await.unwrap().unwrap()
    }

    pub async fn ended(&self, id: JobId) -> JobRow {
        self.until(id, |row| row.state.is_final()).await
    }

    pub async fn until(&self, id: JobId, holds: impl Fn(&JobRow) -> bool) -> JobRow {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let row = self.job(id).await;
            if holds(&row) {
                return row;
            }
            assert!(Instant::now() < deadline, "it never came: {row:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A lease of 2 s, so that tests can outlive one.
pub fn config() -> RunnerConfig {
    RunnerConfig {
        concurrency: 4,
        lease: Duration::from_secs(2),
        heartbeat: Duration::from_millis(400),
        poll: Duration::from_millis(50),
        drain: Duration::from_millis(100),
        grace: Duration::from_millis(300),
        ..RunnerConfig::default()
    }
}

pub fn plain() -> NewJob {
    NewJob::new("test", Value::Null)
}

/// A runner at work.
pub struct Running {
    pub shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub fn start(store: &Store, script: &Script, config: RunnerConfig) -> Self {
        let shutdown = CancellationToken::new();
        let registry = Registry::new().with(script.clone());
        let runner = Runner::new(store.clone(), registry, config);
        Self {
            task: tokio::spawn(runner.run(shutdown.clone())),
            shutdown,
        }
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, self.task)
            .await
            .expect("the runner ends")
            .unwrap();
    }
}

/// Waits for a token with a deadline.
pub async fn fired(token: &CancellationToken) {
    tokio::time::timeout(DEADLINE, token.cancelled())
        .await
        .expect("it fires");
}
