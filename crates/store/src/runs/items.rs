//! The items of runs.

use super::{NewRunItem, RunItemEnd, RunItemRow, RunItemState, item};
use crate::{Error, Page, Read, Result, Scope, Tx, sql, stored::Stored};
use pressroom_base::id::{JobId, RunId, RunItemId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

/// Rows inserted by one statement: both databases bound the number of parameters.
const TOGETHER: usize = 500;

pub(super) async fn insert(tx: &Tx, run: RunId, places: Vec<NewRunItem>) -> Result<()> {
    let mut models = Vec::with_capacity(places.len());
    for (ordinal, place) in (1..).zip(places) {
        models.push(item::ActiveModel {
            run_id: Set(run.get()),
            ordinal: Set(ordinal),
            environment_id: Set(place.environment.get()),
            account_id: Set(place.account.get()),
            host_id: Set(place.host.raw()),
            panel_id: Set(place.panel_id),
            label: Set(place.label),
            state: Set(RunItemState::Waiting.raw()),
            job_id: Set(None),
            exit_code: Set(None),
            signal: Set(None),
            dropped_bytes: Set(0),
            note: Set(String::new()),
            started_at: Set(None),
            ended_at: Set(None),
            ..Default::default()
        });
    }
    while !models.is_empty() {
        let rest = models.split_off(models.len().min(TOGETHER));
        item::Entity::insert_many(models)
            .exec_without_returning(tx.connection())
            .await?;
        models = rest;
    }
    Ok(())
}

/// One item.
pub async fn get_item(from: &impl Read, id: RunItemId) -> Result<Option<RunItemRow>> {
    let found = item::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(RunItemRow::read).transpose()
}

/// The items of a run whose environments are within a scope, in order.
pub async fn items(
    from: &impl Read,
    run: RunId,
    scope: &Scope,
    page: Page,
) -> Result<Vec<RunItemRow>> {
    let mut query = item::Entity::find().filter(item::Column::RunId.eq(run.get()));
    if let Some(own) = scope.ids() {
        query = query.filter(item::Column::AccountId.is_in(own));
    }
    let found = query
        .order_by_asc(item::Column::Ordinal)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(RunItemRow::read).collect()
}

/// The item at a place of a run, if its environment is within a scope.
pub async fn item_at(
    from: &impl Read,
    run: RunId,
    scope: &Scope,
    ordinal: i32,
) -> Result<Option<RunItemRow>> {
    let found = item::Entity::find()
        .filter(item::Column::RunId.eq(run.get()))
        .filter(item::Column::Ordinal.eq(ordinal))
        .one(from.connection())
        .await?
        .map(RunItemRow::read)
        .transpose()?;
    Ok(scope.lookup(found, |row| Some(row.account_id)).found())
}

/// The items of a run that are in a state, in order.
pub async fn items_in(
    from: &impl Read,
    run: RunId,
    state: RunItemState,
) -> Result<Vec<RunItemRow>> {
    let found = item::Entity::find()
        .filter(item::Column::RunId.eq(run.get()))
        .filter(item::Column::State.eq(state.as_str()))
        .order_by_asc(item::Column::Ordinal)
        .all(from.connection())
        .await?;
    found.into_iter().map(RunItemRow::read).collect()
}

/// Says that a job is at an item which waited.
pub async fn begin_item(tx: &Tx, id: RunItemId, job: JobId) -> Result<()> {
    let touched = sql::run(
        tx,
        "UPDATE run_items SET state = 'running', job_id = $1, started_at = $2 \
         WHERE id = $3 AND state = 'waiting'",
        [
            job.get().into(),
            tx.now().await?.millis().into(),
            id.get().into(),
        ],
    )
    .await?;
    if touched == 0 {
        return Err(Error::NotFound { what: "item" });
    }
    Ok(())
}

/// Says which job is at each item that waits although one was begun for it: the worker of
/// the run's job was lost before it could write that down. How many there were.
pub async fn take_up_begun(tx: &Tx, run: RunId, job: JobId) -> Result<u64> {
    sql::run(
        tx,
        "UPDATE run_items SET state = 'running', started_at = $1, job_id = (\
           SELECT MAX(j.id) FROM jobs j WHERE j.parent_id = $2 \
           AND j.environment_id = run_items.environment_id) \
         WHERE run_id = $3 AND state = 'waiting' AND EXISTS (\
           SELECT 1 FROM jobs j WHERE j.parent_id = $2 \
           AND j.environment_id = run_items.environment_id)",
        [
            tx.now().await?.millis().into(),
            job.get().into(),
            run.get().into(),
        ],
    )
    .await
}

/// Ends an item; an end that is written already stays. Says whether it was written now.
pub async fn end_item(tx: &Tx, id: RunItemId, end: &RunItemEnd) -> Result<bool> {
    let touched = sql::run(
        tx,
        "UPDATE run_items SET state = $1, exit_code = $2, signal = $3, dropped_bytes = $4, \
         note = $5, ended_at = $6 WHERE id = $7 AND state IN ('waiting', 'running')",
        [
            end.state.as_str().into(),
            end.exit_code.into(),
            end.signal.into(),
            end.dropped_bytes.into(),
            // PostgreSQL takes no NUL in text.
            end.note.replace('\0', "\u{fffd}").into(),
            tx.now().await?.millis().into(),
            id.get().into(),
        ],
    )
    .await?;
    Ok(touched > 0)
}

/// Ends all items of a run that are in one state, alike; says how many.
pub async fn end_all(tx: &Tx, run: RunId, from: RunItemState, end: &RunItemEnd) -> Result<u64> {
    sql::run(
        tx,
        "UPDATE run_items SET state = $1, note = $2, ended_at = $3 \
         WHERE run_id = $4 AND state = $5",
        [
            end.state.as_str().into(),
            end.note.clone().into(),
            tx.now().await?.millis().into(),
            run.get().into(),
            from.as_str().into(),
        ],
    )
    .await
}
