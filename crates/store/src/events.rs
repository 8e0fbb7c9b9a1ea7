//! The outbox: what happened, written in the transaction of the change, with one
//! delivery row per consumer. A cursor over ids would lose events on PostgreSQL,
//! where commit order is not id order.

use crate::{Read, Result, Signal, Store, Tx, activity, sql, stored::Stored};
use pressroom_base::{
    Timestamp, catalog,
    id::{AccountId, EnvironmentId, EventId, JobId},
};
use sea_orm::{ActiveModelTrait, Set};
use std::time::Duration;

/// Everybody who is told of every event.
pub const CONSUMERS: &[&str] = &[ACTIVITY];

/// The activity log.
pub const ACTIVITY: &str = "activity";

table! {
    /// Something that happened.
    EventRow = event("events") {
        /// The row.
        id: EventId,
        /// A name of [`pressroom_base::catalog::event`].
        kind: String,
        /// The account it concerns.
        account_id: Option<AccountId>,
        /// The environment it concerns.
        environment_id: Option<EnvironmentId>,
        /// The job it belongs to.
        job_id: Option<JobId>,
        /// Who did it, as shown to people.
        actor: String,
        /// Its particulars.
        payload: serde_json::Value,
        /// When.
        at: Timestamp,
    }
}

/// Something that has just happened.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// A name of [`pressroom_base::catalog::event`].
    pub kind: &'static str,
    /// The account it concerns.
    pub account_id: Option<AccountId>,
    /// The environment it concerns.
    pub environment_id: Option<EnvironmentId>,
    /// The job it belongs to.
    pub job_id: Option<JobId>,
    /// Who did it, as shown to people.
    pub actor: String,
    /// Its particulars. The string `text`, if there is one, is what the activity
    /// log shows; otherwise it shows the kind's description.
    pub payload: serde_json::Value,
}

/// Writes an event and its deliveries; they exist if `tx` commits.
pub async fn emit(tx: &Tx, new: NewEvent) -> Result<EventId> {
    let model = event::ActiveModel {
        kind: Set(new.kind.to_owned()),
        account_id: Set(new.account_id.raw()),
        environment_id: Set(new.environment_id.raw()),
        job_id: Set(new.job_id.raw()),
        actor: Set(new.actor),
        payload: Set(new.payload.raw()),
        at: Set(tx.now().await?.millis()),
        ..Default::default()
    };
    let id = model.insert(tx.connection()).await?.id;
    for consumer in CONSUMERS {
        sql::run(
            tx,
            "INSERT INTO event_deliveries (event_id, consumer, state, attempts) \
             VALUES ($1, $2, 'pending', 0)",
            [id.into(), (*consumer).into()],
        )
        .await?;
    }
    tx.signal(Signal::Event);
    Ok(EventId::new(id))
}

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
            activity::record(&tx, &happened).await?;
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

/// Removes events that everybody has had for this long.
pub async fn prune(tx: &Tx, older_than: Duration) -> Result<u64> {
    let before = tx.now().await?.minus(older_than);
    sql::run(
        tx,
        "DELETE FROM events WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM event_deliveries d \
         WHERE d.event_id = events.id AND d.state = 'pending')",
        [before.millis().into()],
    )
    .await
}

/// What the activity log says of an event.
pub(crate) fn describe(event: &EventRow) -> String {
    if let Some(text) = event.payload.get("text").and_then(|text| text.as_str()) {
        return text.to_owned();
    }
    catalog::event::ALL
        .iter()
        .find(|(kind, _)| *kind == event.kind)
        .map_or_else(
            || event.kind.clone(),
            |(_, description)| description.trim().trim_end_matches('.').to_owned(),
        )
}

async fn waiting(from: &impl Read, consumer: &str) -> Result<bool> {
    let found = sql::one(
        from,
        "SELECT id FROM event_deliveries WHERE consumer = $1 AND state = 'pending' LIMIT 1",
        [consumer.into()],
    )
    .await?;
    Ok(found.is_some())
}
