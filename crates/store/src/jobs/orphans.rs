//! Jobs whose workers are gone.

use super::{JobRow, job, queue::UNDO_ATTEMPTS};
use crate::{Result, Signal, Store, Tx, sql};
use pressroom_base::id::JobId;
use sea_orm::{FromQueryResult, Value};

/// Lets go of every lease of a worker that is known to be dead; how many jobs wait for another
/// one now.
pub async fn lapse(store: &Store, holder: &str) -> Result<u64> {
    let tx = store.begin().await?;
    let lapsed = sql::run(
        &tx,
        format!(
            "UPDATE jobs SET lease_until = {} - 1 WHERE state = 'running' AND holder = $1",
            store.clock()
        ),
        [holder.into()],
    )
    .await?;
    tx.signal(Signal::Queued);
    tx.commit().await?;
    Ok(lapsed)
}

/// Jobs of these kinds whose workers keep dying, even at undoing them: they hold their
/// environment and would do so for ever.
pub async fn lost(store: &Store, kinds: &[&str]) -> Result<Vec<JobId>> {
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (1..=kinds.len()).map(|at| format!("${at}")).collect();
    let found = sql::all(
        store,
        format!(
            "SELECT id FROM jobs WHERE {} AND kind IN ({})",
            is_lost(store),
            places.join(", ")
        ),
        kinds.iter().map(|kind| Value::from(*kind)),
    )
    .await?;
    found
        .iter()
        .map(|row| Ok(JobId::new(row.try_get("", "id")?)))
        .collect()
}

fn is_lost(store: &Store) -> String {
    let clock = store.clock();
    format!(
        "state = 'running' AND lease_until < {clock} AND attempt >= max_attempts + {UNDO_ATTEMPTS}"
    )
}

/// Gives up one of the [`lost`] jobs; `None` when it is none any more.
pub async fn bury(tx: &Tx, id: JobId) -> Result<Option<JobRow>> {
    let clock = tx.store().clock();
    let buried = sql::one(
        tx,
        format!(
            "UPDATE jobs SET state = 'dead', undo_to = NULL, holder = NULL, lease_until = NULL, \
             finished_at = {clock}, error_kind = 'internal', error_hint = NULL, \
             error_message = 'Its worker was lost each time it was tried' \
             WHERE id = $1 AND {} RETURNING *",
            is_lost(tx.store())
        ),
        [id.get().into()],
    )
    .await?;
    let Some(row) = buried else { return Ok(None) };
    tx.signal(Signal::Job(id));
    tx.signal(Signal::Queued);
    JobRow::read(job::Model::from_query_result(&row, "")?).map(Some)
}
