//! Requests that may come again: the same key is carried out once, and its answer
//! is given again.

use crate::{Error, Read, Result, Store, Tx, sql};
use pressroom_base::{
    Secret, Timestamp,
    id::{IdempotencyId, JobId},
};
use std::time::Duration;

/// How long an answer is remembered.
const KEEP: Duration = Duration::from_hours(24);

names! {
    /// Where a request stands.
    RequestState {
        /// Somebody is carrying it out, or died doing so.
        Started = "started",
        /// Its answer is known.
        Done = "done",
    }
}

table! {
    /// A request that may come again.
    RequestRow = request("idempotency") {
        /// The row.
        id: IdempotencyId,
        /// Who sent it.
        scope: String,
        /// Their key.
        key: String,
        /// SHA-256 of method, path and body.
        fingerprint: String,
        /// Where it stands.
        state: RequestState,
        /// Who carries it out.
        holder: String,
        /// Until when they are believed to be alive.
        lease_until: Timestamp,
        /// The job it started.
        job_id: Option<JobId>,
        /// Status of the answer.
        status: Option<i64>,
        /// Body of the answer, sealed: it may show a secret.
        body_sealed: Option<String>,
        /// When it came first.
        created_at: Timestamp,
        /// When it is forgotten.
        expires_at: Timestamp,
        /// The row that it made, changed or removed, where it started no job.
        made: Option<i64>,
    }
}

/// What to do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Carry it out.
    Fresh(IdempotencyId),
    /// Somebody else began and died: carry it on, from its job if it has one.
    Resumed {
        /// The request.
        id: IdempotencyId,
        /// The job it had started.
        job: Option<JobId>,
        /// The row it had made, changed or removed.
        made: Option<i64>,
    },
    /// Somebody is carrying it out right now.
    InProgress,
    /// Give this answer again.
    Done {
        /// Its status.
        status: u16,
        /// Its body.
        body: String,
    },
    /// The key was used for another request.
    Mismatch,
}

/// Decides, for exactly one of any number of simultaneous callers, who carries a
/// request out. The holder must be unique to this attempt.
pub async fn claim(
    store: &Store,
    scope: &str,
    key: &str,
    fingerprint: &str,
    holder: &str,
    lease: Duration,
) -> Result<Claim> {
    loop {
        let tx = store.begin().await?;
        let now = tx.now().await?;
        let inserted = sql::one(
            &tx,
            "INSERT INTO idempotency \
             (scope, key, fingerprint, state, holder, lease_until, created_at, expires_at) \
             VALUES ($1, $2, $3, 'started', $4, $5, $6, $7) \
             ON CONFLICT (scope, key) DO NOTHING RETURNING id",
            [
                scope.into(),
                key.into(),
                fingerprint.into(),
                holder.into(),
                now.plus(lease).millis().into(),
                now.millis().into(),
                now.plus(KEEP).millis().into(),
            ],
        )
        .await?;
        if let Some(row) = inserted {
            tx.commit().await?;
            return Ok(Claim::Fresh(IdempotencyId::new(row.try_get("", "id")?)));
        }
        // Somebody was first. Their row stays put while we look at it.
        let Some(row) = locked(&tx, scope, key).await? else {
            tx.rollback().await?;
            continue;
        };
        // Waiting for the lock may have taken time.
        let now = store_clock(&tx).await?;
        let claim = if row.expires_at <= now {
            restart(&tx, &row, fingerprint, holder, lease, now).await?;
            Claim::Fresh(row.id)
        } else if row.fingerprint != fingerprint {
            Claim::Mismatch
        } else if row.state == RequestState::Done {
            answer(store, &row)?
        } else if row.lease_until > now {
            Claim::InProgress
        } else {
            sql::run(
                &tx,
                "UPDATE idempotency SET holder = $1, lease_until = $2 WHERE id = $3",
                [
                    holder.into(),
                    now.plus(lease).millis().into(),
                    row.id.get().into(),
                ],
            )
            .await?;
            Claim::Resumed {
                id: row.id,
                job: row.job_id,
                made: row.made,
            }
        };
        tx.commit().await?;
        return Ok(claim);
    }
}

/// Remembers the job a request started, in the transaction that enqueues it.
/// [`Error::LostLease`] when somebody else carries the request on: then roll back.
pub async fn attach_job(tx: &Tx, id: IdempotencyId, holder: &str, job: JobId) -> Result<()> {
    let touched = sql::run(
        tx,
        "UPDATE idempotency SET job_id = $1 WHERE id = $2 AND holder = $3 AND state = 'started'",
        [job.get().into(), id.get().into(), holder.into()],
    )
    .await?;
    held(touched)
}

/// Remembers the row that a request made, changed or removed, in the transaction that does
/// so. [`Error::LostLease`] as for [`attach_job`].
pub async fn attach_made(tx: &Tx, id: IdempotencyId, holder: &str, made: i64) -> Result<()> {
    let touched = sql::run(
        tx,
        "UPDATE idempotency SET made = $1 WHERE id = $2 AND holder = $3 AND state = 'started'",
        [made.into(), id.get().into(), holder.into()],
    )
    .await?;
    held(touched)
}

/// Remembers the answer. [`Error::LostLease`] when somebody else carries the
/// request on.
pub async fn finish(
    store: &Store,
    id: IdempotencyId,
    holder: &str,
    status: u16,
    body: &str,
) -> Result<()> {
    let sealed = store.seal(&body_place(id), &Secret::new(body.to_owned()));
    let tx = store.begin().await?;
    let touched = sql::run(
        &tx,
        "UPDATE idempotency SET state = 'done', status = $1, body_sealed = $2 \
         WHERE id = $3 AND holder = $4 AND state = 'started'",
        [
            i64::from(status).into(),
            sealed.into(),
            id.get().into(),
            holder.into(),
        ],
    )
    .await?;
    held(touched)?;
    tx.commit().await
}

/// Says that the holder is still at it. [`Error::LostLease`] when it is not its
/// request any more.
pub async fn heartbeat(
    store: &Store,
    id: IdempotencyId,
    holder: &str,
    lease: Duration,
) -> Result<()> {
    let tx = store.begin().await?;
    let until = store_clock(&tx).await?.plus(lease);
    let touched = sql::run(
        &tx,
        "UPDATE idempotency SET lease_until = $1 \
         WHERE id = $2 AND holder = $3 AND state = 'started'",
        [until.millis().into(), id.get().into(), holder.into()],
    )
    .await?;
    held(touched)?;
    tx.commit().await
}

/// Forgets a request that was refused before it had an effect, so that the key
/// may be used again.
pub async fn release(store: &Store, id: IdempotencyId, holder: &str) -> Result<()> {
    let tx = store.begin().await?;
    sql::run(
        &tx,
        "DELETE FROM idempotency \
         WHERE id = $1 AND holder = $2 AND state = 'started' AND job_id IS NULL \
         AND made IS NULL",
        [id.get().into(), holder.into()],
    )
    .await?;
    tx.commit().await
}

/// Forgets requests whose time is over.
pub async fn prune(tx: &Tx) -> Result<u64> {
    let now = tx.now().await?;
    sql::run(
        tx,
        "DELETE FROM idempotency WHERE expires_at <= $1",
        [now.millis().into()],
    )
    .await
}

async fn locked(tx: &Tx, scope: &str, key: &str) -> Result<Option<RequestRow>> {
    let row = sql::one(
        tx,
        format!(
            "SELECT * FROM idempotency WHERE scope = $1 AND key = $2 {}",
            tx.store().lock_clause("FOR UPDATE")
        ),
        [scope.into(), key.into()],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    let model = <request::Model as sea_orm::FromQueryResult>::from_query_result(&row, "")?;
    RequestRow::read(model).map(Some)
}

async fn restart(
    tx: &Tx,
    row: &RequestRow,
    fingerprint: &str,
    holder: &str,
    lease: Duration,
    now: Timestamp,
) -> Result<()> {
    sql::run(
        tx,
        "UPDATE idempotency SET fingerprint = $1, state = 'started', holder = $2, \
         lease_until = $3, job_id = NULL, made = NULL, status = NULL, body_sealed = NULL, \
         created_at = $4, expires_at = $5 WHERE id = $6",
        [
            fingerprint.into(),
            holder.into(),
            now.plus(lease).millis().into(),
            now.millis().into(),
            now.plus(KEEP).millis().into(),
            row.id.get().into(),
        ],
    )
    .await?;
    Ok(())
}

fn answer(store: &Store, row: &RequestRow) -> Result<Claim> {
    let corrupt = Error::Corrupt {
        place: "idempotency.body_sealed",
    };
    let (Some(status), Some(sealed)) = (row.status, &row.body_sealed) else {
        return Err(corrupt);
    };
    Ok(Claim::Done {
        status: u16::try_from(status).map_err(|_| corrupt)?,
        body: store.unseal(&body_place(row.id), sealed)?.into_inner(),
    })
}

async fn store_clock(tx: &Tx) -> Result<Timestamp> {
    let row = sql::one(tx, format!("SELECT {} AS now", tx.shared().clock()), [])
        .await?
        .ok_or(Error::Corrupt { place: "now" })?;
    Ok(Timestamp::from_millis(row.try_get("", "now")?))
}

fn held(touched: u64) -> Result<()> {
    if touched == 0 {
        return Err(Error::LostLease);
    }
    Ok(())
}

fn body_place(id: IdempotencyId) -> String {
    format!("idempotency.body/{id}")
}

/// The place of a row's sealed body.
pub(crate) fn place_of_row(row: &sea_orm::QueryResult) -> Result<String> {
    Ok(body_place(IdempotencyId::new(row.try_get("", "id")?)))
}
