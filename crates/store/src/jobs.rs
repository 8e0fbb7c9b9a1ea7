//! The lease table. Rules: a claim is one update that draws a higher epoch; every
//! later write of the claim's worker is conditional on that epoch; lease times are
//! the database's; an index keeps a second writer from an environment.
//!
//! [`queue`] moves jobs between states, [`orphans`] sees to those whose workers are gone,
//! [`record`] writes what they do, [`read`] shows them. The crate `jobs` drives it.

use pressroom_base::{
    Epoch, Kind, Secret, Timestamp,
    id::{AccountId, EnvironmentId, JobId, StepId, UserId},
};

pub mod orphans;
pub mod queue;
pub mod read;
pub mod record;

pub use read::*;

names! {
    /// Where a job stands.
    JobState {
        /// Waiting for a worker, or for its next attempt.
        Queued = "queued",
        /// A worker holds it.
        Running = "running",
        /// Done, and verified.
        Completed = "completed",
        /// Not done; what it had begun was undone.
        Failed = "failed",
        /// Stopped on request; what it had begun was undone.
        Cancelled = "cancelled",
        /// Given up after too many attempts; can be queued again.
        Dead = "dead",
    }
}

impl JobState {
    /// Whether a job stays in this state unless a person acts.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

names! {
    /// Whether a job changes its environment.
    Lane {
        /// One at a time per environment.
        Write = "write",
        /// Any number beside it.
        Read = "read",
    }
}

names! {
    /// Where a step stands.
    StepState {
        /// Its intent is written; the effect may or may not be there.
        Running = "running",
        /// Done.
        Done = "done",
        /// Tried and not done.
        Failed = "failed",
        /// Done, then taken back.
        Undone = "undone",
    }
}

table! {
    /// A unit of durable work.
    JobRow = job("jobs") {
        /// The row.
        id: JobId,
        /// What dialects call it: `job_` and 12 characters; unique.
        public_id: String,
        /// Which code runs it.
        kind: String,
        /// What it is to do.
        payload: serde_json::Value,
        /// Sealed secrets it needs; gone when it is over.
        secrets_sealed: Option<String>,
        /// The environment it works on.
        environment_id: Option<EnvironmentId>,
        /// The account it works for.
        account_id: Option<AccountId>,
        /// Whether it changes the environment.
        lane: Lane,
        /// Higher goes first.
        priority: i32,
        /// Where it stands.
        state: JobState,
        /// Not before this.
        run_at: Timestamp,
        /// How often it was claimed.
        attempt: i32,
        /// How often it may be.
        max_attempts: i32,
        /// Whether its last worker was lost or stopped before the work was over.
        interrupted: bool,
        /// Set once it is only to be undone: the state it ends in then.
        undo_to: Option<JobState>,
        /// The epoch of its last claim.
        epoch: Epoch,
        /// Who holds it.
        holder: Option<String>,
        /// Until when they are believed to be alive.
        lease_until: Option<Timestamp>,
        /// When somebody asked it to stop.
        cancel_requested_at: Option<Timestamp>,
        /// Why.
        cancel_reason: Option<String>,
        /// While it is not over, no other job may have this key.
        dedupe_key: Option<String>,
        /// The job it is a part of.
        parent_id: Option<JobId>,
        /// Who asked for it.
        requested_by: Option<UserId>,
        /// 0 to 100; never falls.
        progress: i32,
        /// The step it is at.
        step: String,
        /// What it is doing, for people.
        message: String,
        /// What came of it.
        result: Option<serde_json::Value>,
        /// A sealed secret to be shown once.
        result_sealed: Option<String>,
        /// What kind of failure it met last.
        error_kind: Option<Kind>,
        /// That failure, for people.
        error_message: Option<String>,
        /// What to do about it.
        error_hint: Option<String>,
        /// The named case within its kind, where a caller tells cases apart.
        error_code: Option<String>,
        /// When it was queued.
        created_at: Timestamp,
        /// When it was first claimed.
        started_at: Option<Timestamp>,
        /// When it was over.
        finished_at: Option<Timestamp>,
    }
}

table! {
    /// A step of a job.
    StepRow = step("job_steps") {
        /// The row.
        id: StepId,
        /// The job.
        job_id: JobId,
        /// Its place among the job's steps, from 1.
        position: i32,
        /// Its name; comes again when it is tried again.
        name: String,
        /// The attempt of the job it belongs to.
        attempt: i32,
        /// Where it stands.
        state: StepState,
        /// What it was about to do, written before.
        intent: serde_json::Value,
        /// What it saw afterwards.
        result: Option<serde_json::Value>,
        /// When it began.
        started_at: Timestamp,
        /// When it was over.
        finished_at: Option<Timestamp>,
    }
}

table! {
    /// A piece of a job's output.
    OutputRow = output("job_output") {
        /// The row.
        id: i64,
        /// The job.
        job_id: JobId,
        /// Its place in the output, from 1.
        seq: i32,
        /// When it was written.
        at: Timestamp,
        /// Whole lines.
        text: String,
    }
}

/// A job to queue.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Which code runs it.
    pub kind: String,
    /// What it is to do. Readable by whoever reads the database: no secrets.
    pub payload: serde_json::Value,
    /// The environment it works on.
    pub environment: Option<EnvironmentId>,
    /// The account it works for.
    pub account: Option<AccountId>,
    /// Whether it changes the environment.
    pub lane: Lane,
    /// Higher goes first.
    pub priority: i32,
    /// How often it may be tried.
    pub max_attempts: i32,
    /// Not before this; `None` is at once.
    pub run_at: Option<Timestamp>,
    /// While a job with this key is not over, queueing another gives that one.
    pub dedupe_key: Option<String>,
    /// The job it is a part of.
    pub parent: Option<JobId>,
    /// Who asked for it.
    pub requested_by: Option<UserId>,
    /// Secrets it needs; kept sealed until it is over.
    pub secrets: Option<Secret<String>>,
}

impl NewJob {
    /// A job with a payload and otherwise plain: writing lane, three attempts, now.
    pub fn new(kind: impl Into<String>, payload: serde_json::Value) -> Self {
        Self {
            kind: kind.into(),
            payload,
            environment: None,
            account: None,
            lane: Lane::Write,
            priority: 0,
            max_attempts: 3,
            run_at: None,
            dedupe_key: None,
            parent: None,
            requested_by: None,
            secrets: None,
        }
    }
}

/// What a queued request led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    /// The job.
    pub id: JobId,
    /// What dialects call it.
    pub public_id: String,
    /// Whether it is new; otherwise one with the same key was there already.
    pub is_new: bool,
}

/// A failure as kept with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind.
    pub kind: Kind,
    /// What happened, for people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The named case within its kind.
    pub code: Option<String>,
    /// What came of the job all the same.
    pub result: Option<serde_json::Value>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// On this environment.
    pub environment_id: Option<EnvironmentId>,
    /// Run by this code.
    pub kind: Option<String>,
    /// In one of these states; empty means any.
    pub states: Vec<JobState>,
}

/// What of a job decides how it is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cancellation {
    /// Whether one that no worker ever had is claimed to be undone, because asking for
    /// it wrote something already.
    pub undo_unbegun: bool,
    /// The step that cannot be taken back: once begun, the job goes on to its end.
    pub last_step: Option<&'static str>,
}

/// What [`queue::request_cancel`] led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It had not begun and never will.
    Cancelled,
    /// It was told to stop; it will be undone and then be cancelled.
    Requested,
    /// It has begun what cannot be taken back, and goes on to its end.
    Irrevocable,
    /// It was over already.
    TooLate,
}

/// What a worker learns from its own row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Set when somebody asked the job to stop: their reason.
    pub cancel: Option<String>,
}

fn secrets_place(public_id: &str) -> String {
    format!("jobs.secrets/{public_id}")
}

fn result_place(public_id: &str) -> String {
    format!("jobs.result/{public_id}")
}

/// The place of a row's sealed secrets.
pub(crate) fn secrets_place_of_row(row: &sea_orm::QueryResult) -> crate::Result<String> {
    Ok(secrets_place(&row.try_get::<String>("", "public_id")?))
}

/// The place of a row's sealed result.
pub(crate) fn result_place_of_row(row: &sea_orm::QueryResult) -> crate::Result<String> {
    Ok(result_place(&row.try_get::<String>("", "public_id")?))
}
