//! What a running job has at hand. Everything it writes carries its epoch.

use crate::{JobFailure, RunnerConfig, output::Output};
use pressroom_base::{
    Epoch, Secret,
    id::{AccountId, EnvironmentId, JobId, StepId, UserId},
};
use pressroom_store::{
    Error, JobRow, StepRow, StepState, Store, Tx,
    jobs::{self, record},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Why a job is to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Somebody asked for it.
    Cancelled {
        /// Their reason.
        reason: String,
    },
    /// This process ends; the job will be taken up again.
    Shutdown,
    /// The job is another worker's: nothing more may be touched.
    LostLease,
}

/// A job's view of itself; clones share it.
#[derive(Clone)]
pub struct JobContext {
    shared: Arc<Shared>,
    token: CancellationToken,
    /// Whether this is the view of the job's undoing, which a wish to cancel serves.
    undoing: bool,
}

struct Shared {
    store: Store,
    row: JobRow,
    worker: Worker,
    output: Output,
    stop: Mutex<Option<Stop>>,
    /// Fires on any reason to stop; `run` sees it.
    soft: CancellationToken,
    /// Does not fire on a wish to cancel; `undo`, which serves that wish, sees it.
    hard: CancellationToken,
    said: Mutex<(u8, String)>,
}

/// The process that runs jobs, as far as one of them has to know it.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) config: RunnerConfig,
    /// Fires when the process is asked to end: nothing new is begun.
    pub(crate) closing: CancellationToken,
    /// Fires when what runs is given back.
    pub(crate) drained: CancellationToken,
    /// What the process waits for before it ends.
    pub(crate) tracker: TaskTracker,
}

/// A step whose intent is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a step must be finished"]
pub struct Step {
    id: StepId,
    name: String,
}

impl JobContext {
    pub(crate) fn new(store: Store, row: JobRow, worker: Worker, output: Output) -> Self {
        let soft = CancellationToken::new();
        Self {
            token: soft.clone(),
            undoing: false,
            shared: Arc::new(Shared {
                store,
                row,
                worker,
                output,
                stop: Mutex::default(),
                soft,
                hard: CancellationToken::new(),
                said: Mutex::default(),
            }),
        }
    }

    /// The same job, for its undoing.
    pub(crate) fn for_undo(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            token: self.shared.hard.clone(),
            undoing: true,
        }
    }

    /// The job.
    pub fn id(&self) -> JobId {
        self.shared.row.id
    }

    /// The row as it was claimed.
    pub fn job(&self) -> &JobRow {
        &self.shared.row
    }

    /// The fence: what reaches a site carries it.
    pub fn epoch(&self) -> Epoch {
        self.shared.row.epoch
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> i32 {
        self.shared.row.attempt
    }

    /// The environment the job works on.
    pub fn environment(&self) -> Option<EnvironmentId> {
        self.shared.row.environment_id
    }

    /// The account the job works for.
    pub fn account(&self) -> Option<AccountId> {
        self.shared.row.account_id
    }

    /// Who asked for it.
    pub fn requested_by(&self) -> Option<UserId> {
        self.shared.row.requested_by
    }

    /// For reading; what belongs to the job is written through [`JobContext::begin`].
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// What the job is to do.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, JobFailure> {
        T::deserialize(&self.shared.row.payload)
            .map_err(|error| JobFailure::bug(format!("cannot read the job's payload: {error}")))
    }

    /// The secrets the job was queued with.
    pub fn secrets(&self) -> Result<Option<Secret<String>>, JobFailure> {
        Ok(jobs::queue::secrets(&self.shared.store, &self.shared.row)?)
    }

    /// Fires when the job is to stop.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.token
    }

    /// Why it is to stop, once [`JobContext::cancelled`] has fired.
    pub fn stop_reason(&self) -> Option<Stop> {
        self.shared
            .stop
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Fires when this process was asked to end. What runs gets a while yet; a job that has
    /// more to begin leaves it, by [`JobContext::leave`].
    pub fn closing(&self) -> &CancellationToken {
        &self.shared.worker.closing
    }

    /// Gives the job to whoever runs jobs next, as it is. What `run` or `undo` returns
    /// then is of no account.
    pub fn leave(&self) -> JobFailure {
        self.stop(Stop::Shutdown);
        stopped()
    }

    pub(crate) fn worker(&self) -> &Worker {
        &self.shared.worker
    }

    /// Fails when the job is to stop: a place to return at.
    pub fn check(&self) -> Result<(), JobFailure> {
        if self.token.is_cancelled() {
            return Err(stopped());
        }
        Ok(())
    }

    /// Begins a transaction in which the job is this worker's until it ends.
    pub async fn begin(&self) -> Result<Tx, JobFailure> {
        let tx = self.shared.store.begin().await?;
        self.judge(jobs::queue::fence(&tx, self.id(), self.epoch()).await)?;
        Ok(tx)
    }

    /// Writes down what is about to be done. Returns once it is stored. Nothing more is
    /// begun once somebody has asked the job to stop, even before the word came through.
    pub async fn begin_step(
        &self,
        name: &str,
        intent: serde_json::Value,
    ) -> Result<Step, JobFailure> {
        self.check()?;
        let tx = self.shared.store.begin().await?;
        let row =
            self.judge(record::begin_step(&tx, self.id(), self.epoch(), name, &intent).await)?;
        if !self.undoing {
            let hold = jobs::queue::look(&tx, self.id(), self.epoch()).await;
            if let Some(reason) = self.judge(hold)?.cancel {
                tx.rollback().await?;
                self.stop(Stop::Cancelled { reason });
                return Err(stopped());
            }
        }
        tx.commit().await?;
        Ok(Step {
            id: row.id,
            name: row.name,
        })
    }

    /// Writes down what was seen afterwards.
    pub async fn finish_step(
        &self,
        step: Step,
        state: StepState,
        result: serde_json::Value,
    ) -> Result<(), JobFailure> {
        let tx = self.shared.store.begin().await?;
        let (id, epoch) = (self.id(), self.epoch());
        self.judge(record::finish_step(&tx, id, epoch, step.id, state, &result).await)?;
        tx.commit().await?;
        Ok(())
    }

    /// Marks a step of an earlier attempt, or of `run`, as taken back.
    pub async fn undone(&self, step: &StepRow) -> Result<(), JobFailure> {
        let step_of = Step {
            id: step.id,
            name: step.name.clone(),
        };
        let result = step.result.clone().unwrap_or_default();
        self.finish_step(step_of, StepState::Undone, result).await
    }

    /// Runs `work` as a step: intent before, result after, failure noted.
    pub async fn step<T: Serialize>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, JobFailure>>,
    ) -> Result<T, JobFailure> {
        self.step_intending(name, serde_json::Value::Null, work)
            .await
    }

    /// The same with what a successor must know, should `work` not come to its end.
    pub async fn step_intending<T: Serialize>(
        &self,
        name: &str,
        intent: serde_json::Value,
        work: impl Future<Output = Result<T, JobFailure>>,
    ) -> Result<T, JobFailure> {
        let step = self.begin_step(name, intent).await?;
        match work.await {
            Ok(value) => {
                let result = serde_json::to_value(&value).unwrap_or_default();
                self.finish_step(step, StepState::Done, result).await?;
                Ok(value)
            }
            Err(failure) => {
                let result = serde_json::json!({ "error": failure.message });
                if let Err(error) = self.finish_step(step, StepState::Failed, result).await {
                    tracing::warn!(job.id = %self.id(), %error, "cannot note the failed step {name} of job {}", self.id());
                }
                Err(failure)
            }
        }
    }

    /// All steps of the job, earlier attempts included.
    pub async fn steps(&self) -> Result<Vec<StepRow>, JobFailure> {
        Ok(jobs::steps(&self.shared.store, self.id()).await?)
    }

    /// The last step of this name that is done, from whichever attempt.
    pub async fn done_step(&self, name: &str) -> Result<Option<StepRow>, JobFailure> {
        Ok(self
            .steps()
            .await?
            .into_iter()
            .rfind(|step| step.name == name && step.state == StepState::Done))
    }

    /// What the steps of this name were begun with, from every attempt and in whatever state
    /// they are, oldest first. An intent of another shape is left out.
    pub async fn intents<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, JobFailure> {
        Ok(self
            .steps()
            .await?
            .into_iter()
            .filter(|step| step.name == name)
            .filter_map(|step| T::deserialize(step.intent).ok())
            .collect())
    }

    /// Adds a line to the job's output. Never waits; no secrets.
    pub fn line(&self, text: impl AsRef<str>) {
        self.shared.output.line(text.as_ref());
    }

    /// Says how far the job is and what it is doing. The figure never falls.
    pub async fn progress(&self, percent: u8, message: &str) -> Result<(), JobFailure> {
        {
            let mut said = self
                .shared
                .said
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let now = (percent.max(said.0), message.to_owned());
            if *said == now {
                return Ok(());
            }
            *said = now;
        }
        let tx = self.shared.store.begin().await?;
        let (id, epoch) = (self.id(), self.epoch());
        self.judge(record::set_progress(&tx, id, epoch, percent, message).await)?;
        tx.commit().await?;
        Ok(())
    }

    /// Keeps a secret that whoever asked for the job may read once, sealed.
    pub async fn keep_secret(&self, secret: &Secret<String>) -> Result<(), JobFailure> {
        let tx = self.shared.store.begin().await?;
        self.judge(record::keep_secret(&tx, self.id(), self.epoch(), secret).await)?;
        tx.commit().await?;
        Ok(())
    }

    /// Tells the job to stop. A lost lease is never taken for anything less.
    pub(crate) fn stop(&self, why: Stop) {
        let hard = !matches!(why, Stop::Cancelled { .. });
        {
            let mut stop = self
                .shared
                .stop
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if stop.is_none() || why == Stop::LostLease {
                *stop = Some(why);
            }
        }
        self.shared.soft.cancel();
        if hard {
            self.shared.hard.cancel();
        }
    }

    /// Whether the job is another worker's by now.
    pub(crate) fn is_lost(&self) -> bool {
        self.stop_reason() == Some(Stop::LostLease)
    }

    fn judge<T>(&self, result: Result<T, Error>) -> Result<T, JobFailure> {
        if matches!(result, Err(Error::LostLease)) {
            self.stop(Stop::LostLease);
        }
        Ok(result?)
    }
}

fn stopped() -> JobFailure {
    JobFailure::new(pressroom_base::Kind::Conflict, "Stopped before it was done")
}
