//! What happened, written in the transaction of the change, with one
//! delivery row per consumer. A cursor over ids would lose events on PostgreSQL,
//! where commit order is not id order.

use crate::{Read, Result, Signal, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
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
