//! The outbox: events on their way to those who consume them.

use crate::{
    EventRow, Read, Result, Store, Tx,
    activity::{self, About},
    events::{ACTIVITY, event},
    sql,
};

/// Hands at most `batch` waiting events to a consumer of this store and says how
/// many. Several processes may do it at once; each event arrives once, because the
/// consumer's row and the delivery are written together.
pub async fn deliver_pending(store: &Store, consumer: &str, batch: u64) -> Result<usize> {
    if !waiting(store, consumer).await? {
        return Ok(0);
    }
    let tx = store.begin().await?;
    let rows = sql::all(
        &tx,
        format!(
            "SELECT d.id AS delivery_id, e.* FROM event_deliveries d \
             JOIN events e ON e.id = d.event_id \
             WHERE d.consumer = $1 AND d.state = 'pending' ORDER BY d.id LIMIT $2 {}",
            store.lock_clause("FOR UPDATE OF d SKIP LOCKED")
        ),
        [
            consumer.into(),
            i64::try_from(batch).unwrap_or(i64::MAX).into(),
        ],
    )
    .await?;
    for row in &rows {
        let model = <event::Model as sea_orm::FromQueryResult>::from_query_result(row, "")?;
        let happened = EventRow::read(model)?;
        if consumer == ACTIVITY {
            activity::record(&tx, happened.line(About::default())).await?;
        }
        sql::run(
            &tx,
            "UPDATE event_deliveries SET state = 'done', attempts = attempts + 1 WHERE id = $1",
            [row.try_get::<i64>("", "delivery_id")?.into()],
        )
        .await?;
    }
    tx.commit().await?;
    Ok(rows.len())
}

/// Takes at most `batch` waiting events for a consumer that acts on them in this very
/// transaction.
pub async fn take(tx: &Tx, consumer: &str, batch: u64) -> Result<Vec<EventRow>> {
    let lock = tx.store().lock_clause("FOR UPDATE OF d SKIP LOCKED");
    let rows = sql::all(
        tx,
        format!(
            "SELECT d.id AS delivery_id, e.* FROM event_deliveries d \
             JOIN events e ON e.id = d.event_id \
             WHERE d.consumer = $1 AND d.state = 'pending' ORDER BY d.id LIMIT $2 {lock}"
        ),
        [
            consumer.into(),
            i64::try_from(batch).unwrap_or(i64::MAX).into(),
        ],
    )
    .await?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in &rows {
        let model = <event::Model as sea_orm::FromQueryResult>::from_query_result(row, "")?;
        taken.push(EventRow::read(model)?);
        sql::run(
            tx,
            "UPDATE event_deliveries SET state = 'done', attempts = attempts + 1 WHERE id = $1",
            [row.try_get::<i64>("", "delivery_id")?.into()],
        )
        .await?;
    }
    Ok(taken)
}

/// Whether any event waits for a consumer.
pub async fn waiting(from: &impl Read, consumer: &str) -> Result<bool> {
    let found = sql::one(
        from,
        "SELECT id FROM event_deliveries WHERE consumer = $1 AND state = 'pending' LIMIT 1",
        [consumer.into()],
    )
    .await?;
    Ok(found.is_some())
}
