//! Queueing, cancelling and queueing again, all in the caller's transaction.

use crate::Registry;
use pressroom_base::{Secret, id::JobId};
use pressroom_store::{
    Error, Result, Tx,
    jobs::{CancelOutcome, Cancellation, Enqueued, NewJob, queue, record},
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

/// Asks a job to stop. One that never began is cancelled at once, unless its kind has
/// something to undo even then; a running one is told, undone, and then cancelled.
/// What this process knows no kind of is never ended unheard.
pub async fn cancel(
    tx: &Tx,
    registry: &Registry,
    job: JobId,
    reason: &str,
) -> Result<CancelOutcome> {
    let row = pressroom_store::jobs::get(tx, job)
        .await?
        .ok_or(Error::NotFound { what: "job" })?;
    let kind = registry.get(&row.kind);
    let how = Cancellation {
        undo_unbegun: kind.as_ref().is_none_or(|kind| kind.undo_unbegun()),
        last_step: kind.and_then(|kind| kind.last_step()),
    };
    queue::request_cancel(tx, job, reason, how).await
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
