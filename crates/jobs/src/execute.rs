//! One claimed job from its claim to its end.

use crate::{
    Interruption, JobContext, JobFailure, JobKind, RetryPolicy,
    context::{Stop, Worker},
    keeper,
    output::{Output, Writer},
    thread::{Ended, OwnThread},
};
use pressroom_base::{Kind, catalog::metric};
use pressroom_store::{
    Error, JobRow, JobState, Store,
    jobs::{self, Failure, queue},
};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Between attempts at undoing.
const UNDO_DELAY: RetryPolicy = RetryPolicy {
    transport: true,
    site: true,
    bug: true,
    base: Duration::from_secs(5),
    cap: Duration::from_mins(10),
};

/// How long, from its begin, work that is to be undone waits for a host that is not reached
/// before a person has to look.
const HOST_RETURNS: Duration = Duration::from_hours(24);
/// How soon such a host is asked again: after a quarter of the time that has passed, …
const ASK_AGAIN: u32 = 4;
/// … and within these bounds.
const SOONEST: Duration = Duration::from_secs(5);
const LATEST: Duration = Duration::from_mins(5);

/// Before work goes on whose line was cut.
const CUT_DELAY: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(2),
    cap: Duration::from_secs(30),
    ..RetryPolicy::transport()
};

pub(crate) struct Execution {
    pub(crate) store: Store,
    pub(crate) kind: Arc<dyn JobKind>,
    pub(crate) worker: Worker,
}

impl Execution {
    /// Runs or undoes the job and writes its end. Failures of the store are logged;
    /// the lease then lapses and another worker takes over.
    pub(crate) async fn run(self, row: JobRow, claimed: Instant) {
        let (id, kind) = (row.id, self.kind.name());
        metrics::counter!(metric::JOBS_CLAIMED, "kind" => kind).increment(1);
        tracing::info!(job.id = %id, job.kind = kind, job.attempt = row.attempt, "job {id} ({kind}) begins");
        let output = Output::start(self.store.clone(), id, row.epoch).await;
        let (output, writer) = match output {
            Ok(both) => both,
            Err(error) => {
                tracing::error!(job.id = %id, %error, "cannot read the output of job {id}");
                return;
            }
        };
        let ctx = JobContext::new(self.store.clone(), row, self.worker.clone(), output);
        let keeper = tokio::spawn(keeper::keep(
            ctx.clone(),
            self.worker.config.clone(),
            claimed,
            self.worker.drained.clone(),
        ));
        let ended = self.drive(&ctx, writer).await;
        keeper.abort();
        match ended {
            Ok(Some(state)) => {
                metrics::counter!(metric::JOBS_FINISHED, "kind" => kind, "state" => state.as_str())
                    .increment(1);
                tracing::info!(job.id = %id, job.kind = kind, job.state = %state, "job {id} ({kind}) is {state}");
            }
            Ok(None) => {
                tracing::info!(job.id = %id, job.kind = kind, "job {id} ({kind}) is queued again");
            }
            Err(Error::LostLease) => {
                metrics::counter!(metric::LEASES_LOST).increment(1);
                tracing::warn!(job.id = %id, job.kind = kind, "job {id} ({kind}) was lost to another worker");
            }
            Err(error) => {
                tracing::error!(job.id = %id, job.kind = kind, %error, "cannot write the end of job {id} ({kind})");
            }
        }
    }

    /// The final state, or `None` when the job went back into the queue.
    async fn drive(&self, ctx: &JobContext, writer: Writer) -> Result<Option<JobState>, Error> {
        let row = ctx.job();
        if let Some(ends) = row.undo_to {
            return self.undo(ctx, writer, ends, stored_failure(row)).await;
        }
        if row.cancel_requested_at.is_some() {
            let why = cancelled(row.cancel_reason.as_deref().unwrap_or_default());
            return self.undo(ctx, writer, JobState::Cancelled, why).await;
        }
        if row.interrupted && self.kind.interruption() == Interruption::Undo {
            let why = JobFailure::interrupted();
            return self.undo(ctx, writer, JobState::Failed, why).await;
        }
        if row.attempt > row.max_attempts {
            let why = if row.error_message.is_some() {
                stored_failure(row)
            } else {
                JobFailure::interrupted()
            };
            return self.undo(ctx, writer, JobState::Dead, why).await;
        }

        let (kind, own) = (Arc::clone(&self.kind), ctx.clone());
        let work = async move { kind.run(&own).await };
        let failure = match self.supervise(ctx, work).await? {
            Ended::Ok(result) => {
                writer.close().await;
                self.persist(ctx, Change::Complete(result)).await?;
                return Ok(Some(JobState::Completed));
            }
            Ended::Failed(failure) => failure,
            Ended::Stopped => JobFailure::interrupted(),
        };
        match ctx.stop_reason() {
            Some(Stop::LostLease) => {
                writer.abandon();
                Err(Error::LostLease)
            }
            Some(Stop::Shutdown) => self.give_back(ctx, writer, Duration::ZERO).await,
            Some(Stop::Cancelled { reason }) => {
                let why = cancelled(&reason);
                self.undo(ctx, writer, JobState::Cancelled, why).await
            }
            None => self.retry_or_undo(ctx, writer, failure).await,
        }
    }

    async fn retry_or_undo(
        &self,
        ctx: &JobContext,
        writer: Writer,
        failure: JobFailure,
    ) -> Result<Option<JobState>, Error> {
        let row = ctx.job();
        let mut policy = self.kind.retry();
        if !policy.retries(failure.class) {
            if !self.can_go_on(ctx, &failure).await? {
                return self.undo(ctx, writer, JobState::Failed, failure).await;
            }
            ctx.line(format!("{failure}; it goes on from where it was"));
            policy = CUT_DELAY;
        }
        if row.attempt >= row.max_attempts {
            return self.undo(ctx, writer, JobState::Dead, failure).await;
        }
        tracing::warn!(job.id = %row.id, error = %failure, "job {} will be tried again", row.id);
        writer.close().await;
        let delay = policy.delay(row.attempt);
        self.persist(ctx, Change::Retry(delay, failure.stored()))
            .await?;
        Ok(None)
    }

    /// Whether work that nobody would begin anew goes on after its line was cut: it was
    /// under way, and looks what is left to do. To such work that is the same as a worker
    /// that was lost. What did not even begin fails at once: somebody waits for it.
    async fn can_go_on(&self, ctx: &JobContext, failure: &JobFailure) -> Result<bool, Error> {
        let row = ctx.job();
        Ok(failure.kind == Kind::Unreachable
            && self.kind.interruption() == Interruption::Resume
            && row.attempt < row.max_attempts
            && !jobs::steps(&self.store, row.id).await?.is_empty())
    }

    /// Decides the end, undoes, ends. Each is stored before the next begins.
    async fn undo(
        &self,
        ctx: &JobContext,
        writer: Writer,
        ends: JobState,
        why: JobFailure,
    ) -> Result<Option<JobState>, Error> {
        let row = ctx.job();
        if row.undo_to.is_none() {
            self.persist(ctx, Change::UndoFirst(ends, why.stored()))
                .await?;
        }
        let (kind, own, reason) = (Arc::clone(&self.kind), ctx.for_undo(), why.clone());
        let work = async move { kind.undo(&own, &reason).await };
        let (ends, failed) = match self.supervise(&ctx.for_undo(), work).await? {
            Ended::Ok(()) => (ends, None),
            Ended::Stopped => return self.give_back(ctx, writer, Duration::ZERO).await,
            Ended::Failed(_) if ctx.stop_reason() == Some(Stop::Shutdown) => {
                return self.give_back(ctx, writer, Duration::ZERO).await;
            }
            Ended::Failed(failure) => (JobState::Dead, Some(failure)),
        };
        if let Some(failure) = &failed {
            tracing::error!(job.id = %row.id, error = %failure, "cannot undo job {}", row.id);
            ctx.line(format!("cannot undo: {failure}"));
            if failure.kind == Kind::Unreachable
                && let Some(delay) = self.host_may_return(row, ends).await?
            {
                ctx.line(format!(
                    "it is tried again in {} s, and so on for a day",
                    delay.as_secs()
                ));
                writer.close().await;
                self.persist(ctx, Change::PutOff(delay)).await?;
                return Ok(None);
            }
            if row.attempt < row.max_attempts + queue::UNDO_ATTEMPTS {
                let delay = UNDO_DELAY.delay(row.attempt);
                return self.give_back(ctx, writer, delay).await;
            }
        }
        writer.close().await;
        let change = match failed {
            None => Change::EndUndone,
            Some(failure) => {
                let mut stored = why.stored();
                stored.message = format!(
                    "{}; it could not be undone: {}",
                    stored.message,
                    failure.stored().message
                );
                Change::EndNotUndone(stored)
            }
        };
        self.persist(ctx, change).await?;
        Ok(Some(ends))
    }

    /// When a host that is away is asked again; `None` once that has gone on for long, or
    /// somebody has asked to stop it.
    async fn host_may_return(
        &self,
        row: &JobRow,
        ends: JobState,
    ) -> Result<Option<Duration>, Error> {
        if row.cancel_requested_at.is_some() && ends != JobState::Cancelled {
            return Ok(None);
        }
        let now = self.store.now().await?;
        let begun = row.started_at.unwrap_or(now);
        let age = u64::try_from(now.millis() - begun.millis()).unwrap_or(0);
        let age = Duration::from_millis(age);
        Ok((age < HOST_RETURNS).then(|| (age / ASK_AGAIN).clamp(SOONEST, LATEST)))
    }

    async fn give_back(
        &self,
        ctx: &JobContext,
        writer: Writer,
        delay: Duration,
    ) -> Result<Option<JobState>, Error> {
        writer.close().await;
        self.persist(ctx, Change::Release(delay)).await?;
        Ok(None)
    }

    /// Runs work to its end, or stops it when it does not stop although told. A
    /// panic is a failure. Nothing of it runs any more when this returns.
    async fn supervise<T: Send + 'static>(
        &self,
        ctx: &JobContext,
        work: impl Future<Output = Result<T, JobFailure>> + Send + 'static,
    ) -> Result<Ended<T>, Error> {
        let mut own = OwnThread::start(ctx.id(), work);
        let ended = tokio::select! {
            biased;
            ended = own.ended() => Some(ended),
            () = ctx.cancelled().cancelled() => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None if ctx.is_lost() => own.stop().await,
            None => match tokio::time::timeout(self.worker.config.grace, own.ended()).await {
                Ok(ended) => ended,
                Err(_) => own.stop().await,
            },
        };
        if ctx.is_lost() {
            return Err(Error::LostLease);
        }
        Ok(ended)
    }

    /// Writes a change of state, trying again while the lease lasts: a store that
    /// is busy for a moment must not make a finished job an interrupted one.
    async fn persist(&self, ctx: &JobContext, change: Change) -> Result<(), Error> {
        let deadline = Instant::now() + self.worker.config.lease;
        loop {
            match change.write(&self.store, &*self.kind, ctx.job()).await {
                Err(Error::Database(error))
                    if !ctx.is_lost() && Instant::now() + self.worker.config.poll < deadline =>
                {
                    let id = ctx.id();
                    tracing::warn!(job.id = %id, %error, "cannot write the state of job {id} yet");
                    tokio::time::sleep(self.worker.config.poll).await;
                }
                done => return done,
            }
        }
    }
}

/// A change of a job's state.
enum Change {
    Complete(serde_json::Value),
    Retry(Duration, Failure),
    Release(Duration),
    /// It could not even be tried.
    PutOff(Duration),
    UndoFirst(JobState, Failure),
    EndUndone,
    /// It is given up with its effects still there.
    EndNotUndone(Failure),
}

impl Change {
    async fn write(&self, store: &Store, kind: &dyn JobKind, row: &JobRow) -> Result<(), Error> {
        let (id, epoch) = (row.id, row.epoch);
        let tx = store.begin().await?;
        match self {
            Self::Complete(result) => queue::complete(&tx, id, epoch, result).await?,
            Self::Retry(delay, why) => queue::retry(&tx, id, epoch, *delay, why).await?,
            Self::Release(delay) => queue::release(&tx, id, epoch, *delay).await?,
            Self::PutOff(delay) => queue::put_off(&tx, id, epoch, *delay).await?,
            Self::UndoFirst(ends, why) => queue::undo_first(&tx, id, epoch, *ends, why).await?,
            Self::EndUndone => queue::end_undone(&tx, id, epoch).await?,
            Self::EndNotUndone(why) => {
                let mut why = why.clone();
                if let Some(hint) = kind.given_up(&tx, row).await? {
                    why.hint = Some(hint);
                }
                queue::undo_first(&tx, id, epoch, JobState::Dead, &why).await?;
                queue::end_undone(&tx, id, epoch).await?;
            }
        }
        tx.commit().await
    }
}

fn stored_failure(row: &JobRow) -> JobFailure {
    let mut failure = JobFailure::new(
        row.error_kind.unwrap_or(Kind::Internal),
        row.error_message.clone().unwrap_or_default(),
    );
    failure.hint.clone_from(&row.error_hint);
    failure.code.clone_from(&row.error_code);
    failure.result.clone_from(&row.result);
    failure
}

fn cancelled(reason: &str) -> JobFailure {
    let message = if reason.is_empty() {
        "Cancelled".to_owned()
    } else {
        format!("Cancelled: {reason}")
    };
    JobFailure::new(Kind::Conflict, message)
}
