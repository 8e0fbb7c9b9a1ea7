//! What a running job writes down. Every function here is fenced: it fails with
//! [`Error::LostLease`] and writes nothing when the job is not this worker's.

use super::{StepRow, StepState, output, queue, read, result_place, step};
use crate::{Error, Read, Result, Signal, Tx, sql, stored::Stored};
use pressroom_base::{
    Epoch, Secret,
    id::{JobId, StepId},
};
use sea_orm::{ActiveModelTrait, Set};
use std::time::Duration;

/// Writes a step's intent, before its effect.
pub async fn begin_step(
    tx: &Tx,
    job: JobId,
    epoch: Epoch,
    name: &str,
    intent: &serde_json::Value,
) -> Result<StepRow> {
    queue::fence(tx, job, epoch).await?;
    let last = sql::one(
        tx,
        "SELECT COALESCE(MAX(s.position), 0) AS position, j.attempt AS attempt FROM jobs j \
         LEFT JOIN job_steps s ON s.job_id = j.id WHERE j.id = $1 GROUP BY j.attempt",
        [job.get().into()],
    )
    .await?
    .ok_or(Error::LostLease)?;
    let model = step::ActiveModel {
        job_id: Set(job.get()),
        position: Set(last.try_get::<i32>("", "position")? + 1),
        name: Set(name.to_owned()),
        attempt: Set(last.try_get("", "attempt")?),
        state: Set(StepState::Running.raw()),
        intent: Set(intent.raw()),
        result: Set(None),
        started_at: Set(tx.now().await?.millis()),
        finished_at: Set(None),
        ..Default::default()
    };
    let model = model.insert(tx.connection()).await?;
    sql::run(
        tx,
        "UPDATE jobs SET step = $1 WHERE id = $2",
        [name.into(), job.get().into()],
    )
    .await?;
    tx.signal(Signal::Job(job));
    StepRow::read(model)
}

/// Writes what a step saw, after its effect.
pub async fn finish_step(
    tx: &Tx,
    job: JobId,
    epoch: Epoch,
    step: StepId,
    state: StepState,
    result: &serde_json::Value,
) -> Result<()> {
    queue::fence(tx, job, epoch).await?;
    let touched = sql::run(
        tx,
        "UPDATE job_steps SET state = $1, result = $2, finished_at = $3 \
         WHERE id = $4 AND job_id = $5",
        [
            state.as_str().into(),
            result.raw().into(),
            tx.now().await?.millis().into(),
            step.get().into(),
            job.get().into(),
        ],
    )
    .await?;
    if touched == 0 {
        return Err(Error::NotFound { what: "step" });
    }
    tx.signal(Signal::Job(job));
    Ok(())
}

/// Says how far a job is. A smaller number than before changes only the message.
pub async fn set_progress(
    tx: &Tx,
    job: JobId,
    epoch: Epoch,
    percent: u8,
    message: &str,
) -> Result<()> {
    queue::fence(tx, job, epoch).await?;
    sql::run(
        tx,
        "UPDATE jobs SET progress = CASE WHEN progress < $1 THEN $1 ELSE progress END, \
         message = $2 WHERE id = $3",
        [
            i32::from(percent.min(100)).into(),
            message.into(),
            job.get().into(),
        ],
    )
    .await?;
    tx.signal(Signal::Job(job));
    Ok(())
}

/// Keeps a secret that whoever asked for the job may see once.
pub async fn keep_secret(tx: &Tx, job: JobId, epoch: Epoch, secret: &Secret<String>) -> Result<()> {
    queue::fence(tx, job, epoch).await?;
    let row = read::get(tx, job).await?.ok_or(Error::LostLease)?;
    let sealed = tx.store().seal(&result_place(&row.public_id), secret);
    sql::run(
        tx,
        "UPDATE jobs SET result_sealed = $1 WHERE id = $2",
        [sealed.into(), job.get().into()],
    )
    .await?;
    Ok(())
}

/// Appends to a job's output.
pub async fn append_output(tx: &Tx, job: JobId, epoch: Epoch, text: &str) -> Result<()> {
    queue::fence(tx, job, epoch).await?;
    let last = sql::one(
        tx,
        "SELECT COALESCE(MAX(seq), 0) AS last FROM job_output WHERE job_id = $1",
        [job.get().into()],
    )
    .await?
    .map_or(Ok(0), |row| row.try_get::<i32>("", "last"))?;
    let model = output::ActiveModel {
        job_id: Set(job.get()),
        seq: Set(last + 1),
        at: Set(tx.now().await?.millis()),
        text: Set(text.to_owned()),
        ..Default::default()
    };
    model.insert(tx.connection()).await?;
    tx.signal(Signal::Output(job));
    Ok(())
}

/// Gives a finished job's secret and forgets it. `None` when there is none, it was
/// given already, or the job ended longer ago than `within`.
pub async fn take_secret(tx: &Tx, job: JobId, within: Duration) -> Result<Option<Secret<String>>> {
    let row = sql::one(
        tx,
        format!(
            "SELECT public_id, result_sealed, finished_at FROM jobs WHERE id = $1 {}",
            tx.store().lock_clause("FOR NO KEY UPDATE")
        ),
        [job.get().into()],
    )
    .await?
    .ok_or(Error::NotFound { what: "job" })?;
    let sealed: Option<String> = row.try_get("", "result_sealed")?;
    let finished: Option<i64> = row.try_get("", "finished_at")?;
    let (Some(sealed), Some(finished)) = (sealed, finished) else {
        return Ok(None);
    };
    sql::run(
        tx,
        "UPDATE jobs SET result_sealed = NULL WHERE id = $1",
        [job.get().into()],
    )
    .await?;
    if finished < tx.now().await?.minus(within).millis() {
        return Ok(None);
    }
    let public_id: String = row.try_get("", "public_id")?;
    let secret = tx.store().unseal(&result_place(&public_id), &sealed)?;
    Ok(Some(secret))
}

/// Forgets secrets of jobs that ended longer ago than `within`.
pub async fn drop_secrets(tx: &Tx, within: Duration) -> Result<u64> {
    let before = tx.now().await?.minus(within);
    sql::run(
        tx,
        "UPDATE jobs SET result_sealed = NULL \
         WHERE result_sealed IS NOT NULL AND finished_at < $1",
        [before.millis().into()],
    )
    .await
}
