//! Looking at jobs.

use super::{JobFilter, JobRow, Lane, OutputRow, StepRow, job, output, step};
use crate::{Error, Lookup, Page, Read, Result, Scope, Store, sql};
use pressroom_base::{
    Epoch, Secret,
    id::{EnvironmentId, JobId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// One job.
pub async fn get(from: &impl Read, id: JobId) -> Result<Option<JobRow>> {
    let found = job::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(JobRow::read).transpose()
}

/// The highest epoch that was ever given to a job.
pub async fn last_epoch(from: &impl Read) -> Result<Epoch> {
    let row = sql::one(from, "SELECT value FROM counters WHERE name = 'epoch'", []).await?;
    let row = row.ok_or(Error::Corrupt {
        place: "counters.epoch",
    })?;
    Ok(Epoch::new(row.try_get("", "value")?))
}

/// The job a dialect calls by this id, as far as the scope may know.
pub async fn by_public_id(
    from: &impl Read,
    scope: &Scope,
    public_id: &str,
) -> Result<Lookup<JobRow>> {
    let found = job::Entity::find()
        .filter(job::Column::PublicId.eq(public_id))
        .one(from.connection())
        .await?
        .map(JobRow::read)
        .transpose()?;
    Ok(scope.lookup(found, |row| row.account_id))
}

/// The jobs within a scope, newest first.
pub async fn list(
    from: &impl Read,
    scope: &Scope,
    filter: &JobFilter,
    page: Page,
) -> Result<Vec<JobRow>> {
    let mut query = job::Entity::find().order_by_desc(job::Column::Id);
    if let Some(own) = scope.ids() {
        query = query.filter(job::Column::AccountId.is_in(own));
    }
    if let Some(environment) = filter.environment_id {
        query = query.filter(job::Column::EnvironmentId.eq(environment.get()));
    }
    if let Some(kind) = &filter.kind {
        query = query.filter(job::Column::Kind.eq(kind));
    }
    if !filter.states.is_empty() {
        let states = filter.states.iter().map(|state| state.as_str());
        query = query.filter(job::Column::State.is_in(states));
    }
    let found = query
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(JobRow::read).collect()
}

/// The writing jobs on an environment that are not over, oldest first.
pub async fn writing_on(from: &impl Read, environment: EnvironmentId) -> Result<Vec<JobRow>> {
    let found = job::Entity::find()
        .filter(job::Column::EnvironmentId.eq(environment.get()))
        .filter(job::Column::Lane.eq(Lane::Write.as_str()))
        .filter(job::Column::State.is_in(["queued", "running"]))
        .order_by_asc(job::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(JobRow::read).collect()
}

/// The jobs on an environment that are not over, whatever they do there, oldest first.
pub async fn unfinished_on(from: &impl Read, environment: EnvironmentId) -> Result<Vec<JobRow>> {
    let found = job::Entity::find()
        .filter(job::Column::EnvironmentId.eq(environment.get()))
        .filter(job::Column::State.is_in(["queued", "running"]))
        .order_by_asc(job::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(JobRow::read).collect()
}

/// The jobs of a kind that are not over, oldest first.
pub async fn unfinished_of_kind(from: &impl Read, kind: &str) -> Result<Vec<JobRow>> {
    let found = job::Entity::find()
        .filter(job::Column::Kind.eq(kind))
        .filter(job::Column::State.is_in(["queued", "running"]))
        .order_by_asc(job::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(JobRow::read).collect()
}

/// The parts of a job, oldest first.
pub async fn children(from: &impl Read, parent: JobId) -> Result<Vec<JobRow>> {
    let found = job::Entity::find()
        .filter(job::Column::ParentId.eq(parent.get()))
        .order_by_asc(job::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(JobRow::read).collect()
}

/// A job's steps, in order.
pub async fn steps(from: &impl Read, job: JobId) -> Result<Vec<StepRow>> {
    let found = step::Entity::find()
        .filter(step::Column::JobId.eq(job.get()))
        .order_by_asc(step::Column::Position)
        .all(from.connection())
        .await?;
    found.into_iter().map(StepRow::read).collect()
}

/// At most `limit` pieces of a job's output after piece `seq`, in order.
pub async fn output_after(
    from: &impl Read,
    job: JobId,
    seq: i32,
    limit: u64,
) -> Result<Vec<OutputRow>> {
    let found = output::Entity::find()
        .filter(output::Column::JobId.eq(job.get()))
        .filter(output::Column::Seq.gt(seq))
        .order_by_asc(output::Column::Seq)
        .limit(limit)
        .all(from.connection())
        .await?;
    found.into_iter().map(OutputRow::read).collect()
}

/// The last piece's number and the bytes of all pieces.
pub async fn output_size(from: &impl Read, job: JobId) -> Result<(i32, u64)> {
    let row = sql::one(
        from,
        "SELECT COALESCE(MAX(seq), 0) AS last, \
         CAST(COALESCE(SUM(OCTET_LENGTH(text)), 0) AS BIGINT) AS bytes \
         FROM job_output WHERE job_id = $1",
        [job.get().into()],
    )
    .await?;
    let Some(row) = row else { return Ok((0, 0)) };
    let bytes: i64 = row.try_get("", "bytes")?;
    Ok((row.try_get("", "last")?, u64::try_from(bytes).unwrap_or(0)))
}

/// Environments that a job is writing to now, with that job.
pub async fn running_writers(from: &impl Read) -> Result<Vec<(EnvironmentId, JobId)>> {
    let rows = sql::all(
        from,
        "SELECT environment_id, id FROM jobs WHERE lane = 'write' AND state = 'running' \
         AND environment_id IS NOT NULL",
        [],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let environment: i64 = row.try_get("", "environment_id")?;
            let job: i64 = row.try_get("", "id")?;
            Ok((EnvironmentId::new(environment), JobId::new(job)))
        })
        .collect()
}

/// The secret that a finished job keeps, without forgetting it.
pub async fn result_secret(store: &Store, id: JobId) -> Result<Option<Secret<String>>> {
    let Some(row) = get(store, id).await? else {
        return Ok(None);
    };
    row.result_sealed
        .map(|sealed| store.unseal(&super::result_place(&row.public_id), &sealed))
        .transpose()
}

/// How many jobs are in each state, by the state's name.
pub async fn count_by_state(from: &impl Read) -> Result<Vec<(String, u64)>> {
    let rows = sql::all(
        from,
        "SELECT state, COUNT(*) AS jobs FROM jobs GROUP BY state ORDER BY state",
        [],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let jobs: i64 = row.try_get("", "jobs")?;
            Ok((row.try_get("", "state")?, u64::try_from(jobs).unwrap_or(0)))
        })
        .collect()
}
