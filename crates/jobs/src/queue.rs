//! Queueing, cancelling and queueing again, all in the caller's transaction.

use pressroom_base::{Secret, id::JobId};
use pressroom_store::{
    Result, Tx,
    jobs::{CancelOutcome, Enqueued, NewJob, queue, record},
};
use std::time::Duration;

/// How long after its end a job's secret can be read, once.
pub const SECRET_LASTS: Duration = Duration::from_mins(15);

/// Queues a job; it exists if `tx` commits. With a `dedupe_key` that an unfinished
/// job has, that job's id is given.
pub async fn enqueue(tx: &Tx, job: NewJob) -> Result<JobId> {
    Ok(queue::insert(tx, job).await?.id)
}

/// As [`enqueue`], telling also the public id and whether the job is new.
pub async fn enqueue_once(tx: &Tx, job: NewJob) -> Result<Enqueued> {
    queue::insert(tx, job).await
}

/// Asks a job to stop. One that never began is cancelled at once; a running one is
/// told, undone, and then cancelled.
pub async fn cancel(tx: &Tx, job: JobId, reason: &str) -> Result<CancelOutcome> {
    queue::request_cancel(tx, job, reason).await
}

/// Queues a dead job again with all its attempts before it.
pub async fn requeue(tx: &Tx, job: JobId) -> Result<()> {
    queue::requeue(tx, job).await
}

/// Gives the secret a finished job kept for whoever asked for it, once and for at
/// most [`SECRET_LASTS`].
pub async fn take_job_secret(tx: &Tx, job: JobId) -> Result<Option<Secret<String>>> {
    record::take_secret(tx, job, SECRET_LASTS).await
}
