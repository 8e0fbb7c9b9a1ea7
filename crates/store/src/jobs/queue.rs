//! Moving a job from state to state.

use super::{
    CancelOutcome, Cancellation, Enqueued, Failure, Hold, JobRow, JobState, NewJob, job, read,
    secrets_place,
};
use crate::{Error, Read, Result, Signal, Store, Tx, sql, stored::Stored};
use pressroom_base::{Epoch, Secret, id::JobId, token};
use sea_orm::{FromQueryResult, SqlErr, Value};
use std::time::Duration;

/// How often beyond its last attempt a job is claimed to be undone, before a
/// person has to look.
pub const UNDO_ATTEMPTS: i32 = 3;

const NOT_OVER: &str = "state IN ('queued', 'running')";

/// Queues a job; it exists if `tx` commits.
pub async fn insert(tx: &Tx, new: NewJob) -> Result<Enqueued> {
    let public_id = format!(
        "job_{}",
        token::from_alphabet(b"abcdefghijklmnopqrstuvwxyz0123456789", 12)
    );
    let sealed = new
        .secrets
        .as_ref()
        .map(|secrets| tx.store().seal(&secrets_place(&public_id), secrets));
    let now = tx.now().await?;
    loop {
        let inserted = sql::one(
            tx,
            "INSERT INTO jobs (public_id, kind, payload, secrets_sealed, environment_id, \
             account_id, lane, priority, state, run_at, attempt, max_attempts, interrupted, epoch, \
             dedupe_key, parent_id, requested_by, progress, step, message, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $9, 0, $10, FALSE, 0, $11, $12, \
             $13, 0, '', '', $14) ON CONFLICT DO NOTHING RETURNING id",
            [
                public_id.clone().into(),
                new.kind.clone().into(),
                new.payload.raw().into(),
                sealed.clone().into(),
                new.environment.raw().into(),
                new.account.raw().into(),
                new.lane.as_str().into(),
                new.priority.into(),
                new.run_at.unwrap_or(now).millis().into(),
                new.max_attempts.into(),
                new.dedupe_key.clone().into(),
                new.parent.raw().into(),
                new.requested_by.raw().into(),
                now.millis().into(),
            ],
        )
        .await?;
        if let Some(row) = inserted {
            tx.signal(Signal::Queued);
            return Ok(Enqueued {
                id: JobId::new(row.try_get("", "id")?),
                public_id,
                is_new: true,
            });
        }
        let held = sql::one(
            tx,
            format!("SELECT id, public_id FROM jobs WHERE dedupe_key = $1 AND {NOT_OVER}"),
            [new.dedupe_key.clone().into()],
        )
        .await?;
        // Gone again between the two statements: try once more.
        if let Some(row) = held {
            return Ok(Enqueued {
                id: JobId::new(row.try_get("", "id")?),
                public_id: row.try_get("", "public_id")?,
                is_new: false,
            });
        }
    }
}

/// Takes the next job of one of these kinds for `holder`, if there is one: first
/// jobs whose worker fell silent (they may hold an environment), then queued ones.
pub async fn claim(
    store: &Store,
    kinds: &[&str],
    holder: &str,
    lease: Duration,
) -> Result<Option<JobRow>> {
    if kinds.is_empty() {
        return Ok(None);
    }
    for waiting in [lapsed(store), queued(store)] {
        let candidate = candidate(&waiting, kinds.len());
        let values = || kinds.iter().map(|kind| Value::from(*kind));
        // Looking first keeps an idle worker from taking the writer, and the
        // sequence from rising for nothing.
        if sql::one(store, &candidate, values()).await?.is_none() {
            continue;
        }
        if let Some(row) = take(store, &candidate, values().collect(), holder, lease).await? {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

fn lapsed(store: &Store) -> String {
    format!("j.state = 'running' AND j.lease_until < {}", store.clock())
}

fn queued(store: &Store) -> String {
    format!("j.state = 'queued' AND j.run_at <= {}", store.clock())
}

fn candidate(waiting: &str, kinds: usize) -> String {
    let kinds: Vec<String> = (1..=kinds).map(|number| format!("${number}")).collect();
    format!(
        "SELECT j.id FROM jobs j WHERE {waiting} AND j.kind IN ({}) \
         AND NOT (j.lane = 'write' AND j.environment_id IS NOT NULL AND EXISTS ( \
           SELECT 1 FROM jobs w WHERE w.environment_id = j.environment_id \
           AND w.lane = 'write' AND w.state = 'running' AND w.id <> j.id)) \
         ORDER BY j.priority DESC, j.run_at, j.id LIMIT 1",
        kinds.join(", ")
    )
}

async fn take(
    store: &Store,
    candidate: &str,
    mut values: Vec<Value>,
    holder: &str,
    lease: Duration,
) -> Result<Option<JobRow>> {
    let tx = store.begin().await?;
    let epoch = draw_epoch(&tx).await?;
    let clock = store.clock();
    let next = values.len() + 1;
    let lock = store.lock_clause("FOR UPDATE SKIP LOCKED");
    // `id = (…)`, not `id IN (…)`: PostgreSQL may run the latter again per row and
    // then lock more than one.
    let statement = format!(
        "UPDATE jobs SET state = 'running', epoch = ${next}, holder = ${}, \
         lease_until = {clock} + ${}, attempt = attempt + 1, \
         interrupted = CASE WHEN state = 'running' THEN TRUE ELSE interrupted END, \
         started_at = COALESCE(started_at, {clock}) \
         WHERE id = ({candidate} {lock}) RETURNING *",
        next + 1,
        next + 2,
    );
    values.extend([epoch.into(), holder.into(), millis(lease).into()]);
    let taken = match sql::one(&tx, statement, values).await {
        // Somebody's writer came first; the environment is theirs.
        Err(Error::Database(error))
            if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) =>
        {
            None
        }
        other => other?,
    };
    let Some(row) = taken else {
        tx.rollback().await?;
        return Ok(None);
    };
    let row = JobRow::read(job::Model::from_query_result(&row, "")?)?;
    tx.signal(Signal::Job(row.id));
    tx.commit().await?;
    Ok(Some(row))
}

/// Takes a job that `tx` has queued. The caller has made sure that nothing else writes to
/// its environment; otherwise the transaction fails.
pub async fn claim_queued(tx: &Tx, id: JobId, holder: &str, lease: Duration) -> Result<JobRow> {
    let epoch = draw_epoch(tx).await?;
    let clock = tx.store().clock();
    let taken = sql::one(
        tx,
        format!(
            "UPDATE jobs SET state = 'running', epoch = $1, holder = $2, \
             lease_until = {clock} + $3, attempt = attempt + 1, \
             started_at = COALESCE(started_at, {clock}) \
             WHERE id = $4 AND state = 'queued' RETURNING *"
        ),
        [
            epoch.into(),
            holder.into(),
            millis(lease).into(),
            id.get().into(),
        ],
    )
    .await?
    .ok_or(Error::NotFound { what: "queued job" })?;
    tx.signal(Signal::Job(id));
    JobRow::read(job::Model::from_query_result(&taken, "")?)
}

/// The next epoch of the fleet; whoever draws one is alone with it until `tx` ends.
async fn draw_epoch(tx: &Tx) -> Result<i64> {
    let drawn = sql::one(
        tx,
        "UPDATE counters SET value = value + 1 WHERE name = 'epoch' RETURNING value",
        [],
    )
    .await?
    .ok_or(Error::Corrupt {
        place: "counters.epoch",
    })?;
    Ok(drawn.try_get("", "value")?)
}

/// Says that the worker is alive, and learns whether it is to stop.
pub async fn heartbeat(store: &Store, id: JobId, epoch: Epoch, lease: Duration) -> Result<Hold> {
    let tx = store.begin().await?;
    let row = sql::one(
        &tx,
        format!(
            "UPDATE jobs SET lease_until = {} + $1 \
             WHERE id = $2 AND epoch = $3 AND state = 'running' \
             RETURNING cancel_requested_at, cancel_reason",
            store.clock()
        ),
        [millis(lease).into(), id.get().into(), epoch.get().into()],
    )
    .await?
    .ok_or(Error::LostLease)?;
    let hold = hold(&row)?;
    tx.commit().await?;
    Ok(hold)
}

/// Learns without writing whether the job is still this worker's and is to stop.
pub async fn look(from: &impl Read, id: JobId, epoch: Epoch) -> Result<Hold> {
    let row = sql::one(
        from,
        "SELECT cancel_requested_at, cancel_reason FROM jobs \
         WHERE id = $1 AND epoch = $2 AND state = 'running'",
        [id.get().into(), epoch.get().into()],
    )
    .await?
    .ok_or(Error::LostLease)?;
    hold(&row)
}

fn hold(row: &sea_orm::QueryResult) -> Result<Hold> {
    let asked: Option<i64> = row.try_get("", "cancel_requested_at")?;
    let reason: Option<String> = row.try_get("", "cancel_reason")?;
    Ok(Hold {
        cancel: asked.map(|_| reason.unwrap_or_default()),
    })
}

/// Makes sure that the job is this worker's until `tx` ends: what is written in
/// `tx` is then written by whoever holds the job. [`Error::LostLease`] otherwise. Says as
/// well whether it is to stop.
pub async fn fence(tx: &Tx, id: JobId, epoch: Epoch) -> Result<Hold> {
    let row = sql::one(
        tx,
        format!(
            "SELECT cancel_requested_at, cancel_reason FROM jobs WHERE id = $1 AND epoch = $2 AND state = 'running' {}",
            tx.store().lock_clause("FOR NO KEY UPDATE")
        ),
        [id.get().into(), epoch.get().into()],
    )
    .await?
    .ok_or(Error::LostLease)?;
    hold(&row)
}

/// Ends a job as done.
pub async fn complete(tx: &Tx, id: JobId, epoch: Epoch, result: &serde_json::Value) -> Result<()> {
    let clock = tx.store().clock();
    let touched = sql::run(
        tx,
        format!(
            "UPDATE jobs SET state = 'completed', result = $1, progress = 100, undo_to = NULL, \
             interrupted = FALSE, holder = NULL, lease_until = NULL, secrets_sealed = NULL, \
             error_kind = NULL, error_message = NULL, error_hint = NULL, error_code = NULL, \
             finished_at = {clock} \
             WHERE id = $2 AND epoch = $3 AND state = 'running'"
        ),
        [result.raw().into(), id.get().into(), epoch.get().into()],
    )
    .await?;
    fenced(tx, id, touched)
}

/// Ends a job in the state [`undo_first`] announced, with the failure kept there.
/// A dead job keeps its secrets, because it may be queued again.
pub async fn end_undone(tx: &Tx, id: JobId, epoch: Epoch) -> Result<()> {
    let clock = tx.store().clock();
    let touched = sql::run(
        tx,
        format!(
            "UPDATE jobs SET state = undo_to, undo_to = NULL, interrupted = FALSE, \
             holder = NULL, lease_until = NULL, finished_at = {clock}, result_sealed = NULL, \
             secrets_sealed = CASE WHEN undo_to = 'dead' THEN secrets_sealed ELSE NULL END \
             WHERE id = $1 AND epoch = $2 AND state = 'running' AND undo_to IS NOT NULL"
        ),
        [id.get().into(), epoch.get().into()],
    )
    .await?;
    fenced(tx, id, touched)
}

/// Decides that a job is from now on only undone, and how it ends then. Written
/// before the undoing begins, so that a lost worker's successor undoes as well.
pub async fn undo_first(
    tx: &Tx,
    id: JobId,
    epoch: Epoch,
    ends: JobState,
    failure: &Failure,
) -> Result<()> {
    let touched = sql::run(
        tx,
        "UPDATE jobs SET undo_to = $1, error_kind = $2, error_message = $3, error_hint = $4, \
         error_code = $5, result = $6 WHERE id = $7 AND epoch = $8 AND state = 'running'",
        [
            ends.as_str().into(),
            failure.kind.as_str().into(),
            failure.message.clone().into(),
            failure.hint.clone().into(),
            failure.code.clone().into(),
            failure.result.clone().raw().into(),
            id.get().into(),
            epoch.get().into(),
        ],
    )
    .await?;
    fenced(tx, id, touched)
}

/// Puts a job back to be tried again after `delay`, remembering why.
pub async fn retry(
    tx: &Tx,
    id: JobId,
    epoch: Epoch,
    delay: Duration,
    failure: &Failure,
) -> Result<()> {
    let clock = tx.store().clock();
    let touched = sql::run(
        tx,
        format!(
            "UPDATE jobs SET state = 'queued', run_at = {clock} + $1, interrupted = FALSE, \
             holder = NULL, lease_until = NULL, error_kind = $2, error_message = $3, \
             error_hint = $4 WHERE id = $5 AND epoch = $6 AND state = 'running'"
        ),
        [
            millis(delay).into(),
            failure.kind.as_str().into(),
            failure.message.clone().into(),
            failure.hint.clone().into(),
            id.get().into(),
            epoch.get().into(),
        ],
    )
    .await?;
    fenced(tx, id, touched)
}

/// Gives a job back unfinished: whoever claims it next finds it interrupted.
pub async fn release(tx: &Tx, id: JobId, epoch: Epoch, delay: Duration) -> Result<()> {
    back(tx, id, epoch, delay, 0).await
}

/// Puts a job off that could not even be tried: as [`release`], and the attempt does not
/// count.
pub async fn put_off(tx: &Tx, id: JobId, epoch: Epoch, delay: Duration) -> Result<()> {
    back(tx, id, epoch, delay, 1).await
}

async fn back(tx: &Tx, id: JobId, epoch: Epoch, delay: Duration, uncounted: i32) -> Result<()> {
    let clock = tx.store().clock();
    let touched = sql::run(
        tx,
        format!(
            "UPDATE jobs SET state = 'queued', run_at = {clock} + $1, interrupted = TRUE, \
             attempt = attempt - $4, holder = NULL, lease_until = NULL \
             WHERE id = $2 AND epoch = $3 AND state = 'running'"
        ),
        [
            millis(delay).into(),
            id.get().into(),
            epoch.get().into(),
            uncounted.into(),
        ],
    )
    .await?;
    fenced(tx, id, touched)
}

/// Asks a job to stop. One that never began is cancelled at once, unless asking for it
/// has left something to undo; any other is undone first.
pub async fn request_cancel(
    tx: &Tx,
    id: JobId,
    reason: &str,
    how: Cancellation,
) -> Result<CancelOutcome> {
    let clock = tx.store().clock();
    if !how.undo_unbegun {
        let at_once = sql::run(
            tx,
            format!(
                "UPDATE jobs SET state = 'cancelled', cancel_requested_at = {clock}, \
                 cancel_reason = $1, secrets_sealed = NULL, finished_at = {clock} \
                 WHERE id = $2 AND state = 'queued' AND started_at IS NULL"
            ),
            [reason.into(), id.get().into()],
        )
        .await?;
        if at_once > 0 {
            tx.signal(Signal::Job(id));
            return Ok(CancelOutcome::Cancelled);
        }
    }
    if let Some(step) = how.last_step
        && is_begun(tx, id, step).await?
    {
        return Ok(CancelOutcome::Irrevocable);
    }
    let asked = sql::run(
        tx,
        format!(
            "UPDATE jobs SET cancel_requested_at = COALESCE(cancel_requested_at, {clock}), \
             cancel_reason = COALESCE(cancel_reason, $1), \
             run_at = CASE WHEN state = 'queued' THEN {clock} ELSE run_at END \
             WHERE id = $2 AND {NOT_OVER}"
        ),
        [reason.into(), id.get().into()],
    )
    .await?;
    if asked > 0 {
        tx.signal(Signal::Job(id));
        tx.signal(Signal::Queued);
        return Ok(CancelOutcome::Requested);
    }
    if read::get(tx, id).await?.is_none() {
        return Err(Error::NotFound { what: "job" });
    }
    Ok(CancelOutcome::TooLate)
}

/// Whether an unfinished job has begun a step. The job's row is held until `tx` ends, as
/// whoever begins a step holds it: the answer stays true that long.
async fn is_begun(tx: &Tx, id: JobId, step: &str) -> Result<bool> {
    let lock = tx.store().lock_clause("FOR NO KEY UPDATE");
    let held = sql::one(
        tx,
        format!("SELECT id FROM jobs WHERE id = $1 AND {NOT_OVER} {lock}"),
        [id.get().into()],
    )
    .await?;
    if held.is_none() {
        return Ok(false);
    }
    let begun = sql::one(
        tx,
        "SELECT id FROM job_steps WHERE job_id = $1 AND name = $2 LIMIT 1",
        [id.get().into(), step.into()],
    )
    .await?;
    Ok(begun.is_some())
}

/// Queues a dead job again, with all its attempts before it. [`Error::InUse`] when
/// it is not dead, [`Error::Exists`] when a job with its key has taken its place.
pub async fn requeue(tx: &Tx, id: JobId) -> Result<()> {
    let clock = tx.store().clock();
    let done = sql::run(
        tx,
        format!(
            "UPDATE jobs SET state = 'queued', run_at = {clock}, attempt = 0, \
             interrupted = FALSE, undo_to = NULL, cancel_requested_at = NULL, \
             cancel_reason = NULL, finished_at = NULL WHERE id = $1 AND state = 'dead'"
        ),
        [id.get().into()],
    )
    .await;
    match done {
        Err(Error::Database(error)) => Err(Error::of("job")(error)),
        Err(error) => Err(error),
        Ok(0) if read::get(tx, id).await?.is_none() => Err(Error::NotFound { what: "job" }),
        Ok(0) => Err(Error::InUse { what: "job" }),
        Ok(_) => {
            tx.signal(Signal::Queued);
            tx.signal(Signal::Job(id));
            Ok(())
        }
    }
}

/// Says with an ended job what a person can do now.
pub async fn advise(tx: &Tx, id: JobId, hint: &str) -> Result<()> {
    sql::run(
        tx,
        "UPDATE jobs SET error_hint = $1 WHERE id = $2",
        [hint.into(), id.get().into()],
    )
    .await?;
    Ok(())
}

/// Opens the secrets a job was queued with.
pub fn secrets(store: &Store, row: &JobRow) -> Result<Option<Secret<String>>> {
    row.secrets_sealed
        .as_deref()
        .map(|sealed| store.unseal(&secrets_place(&row.public_id), sealed))
        .transpose()
}

fn fenced(tx: &Tx, id: JobId, touched: u64) -> Result<()> {
    if touched == 0 {
        return Err(Error::LostLease);
    }
    tx.signal(Signal::Job(id));
    // Whatever ends may have made room for the next job on its environment.
    tx.signal(Signal::Queued);
    Ok(())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Forgets jobs that ended longer ago than `older_than`, with their steps and output.
pub async fn prune(tx: &Tx, older_than: Duration) -> Result<u64> {
    let before = tx.now().await?.minus(older_than).millis();
    for table in ["job_output", "job_steps"] {
        sql::run(
            tx,
            format!(
                "DELETE FROM {table} WHERE job_id IN \
                 (SELECT id FROM jobs WHERE finished_at IS NOT NULL AND finished_at < $1)"
            ),
            [before.into()],
        )
        .await?;
    }
    sql::run(
        tx,
        "DELETE FROM jobs WHERE finished_at IS NOT NULL AND finished_at < $1",
        [before.into()],
    )
    .await
}
