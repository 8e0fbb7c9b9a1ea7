//! What happened, written in the transaction of the change, with one
//! delivery row per consumer, and one per webhook that is to tell of it. A cursor over ids would lose events on PostgreSQL,
//! where commit order is not id order.

use crate::{
    Read, Result, Signal, Tx,
    activity::{self, About, By, Line},
    sql,
    stored::Stored,
    webhooks::{self, Told},
};
use pressroom_base::{
    Timestamp, catalog,
    id::{AccountId, EnvironmentId, EventId, JobId, ShortId},
};
use sea_orm::{ActiveModelTrait, Set};
use std::time::Duration;

/// Everybody who is told of every event.
pub const CONSUMERS: &[&str] = &[ACTIVITY];

/// Mail, which is told of some events only: [`catalog::mail::TOLD`].
pub const MAIL: &str = "mail";

/// The activity log. Its line is written with the event; the delivery writes those of
/// events from before that was so.
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

impl EventRow {
    /// Its line in the activity log.
    pub(crate) fn line(self, about: About) -> Line {
        Line {
            event_id: self.id,
            kind: self.kind,
            account_id: self.account_id,
            environment_id: self.environment_id,
            job_id: self.job_id,
            actor: self.actor,
            payload: self.payload,
            at: self.at,
            about,
        }
    }
}

/// Something that has just happened.
#[derive(Debug, Clone, Default)]
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
    /// Who did it.
    pub by: By,
    /// Where from.
    pub address: Option<String>,
    /// What it is about, with what programs call it; the site, where it is about an
    /// environment and this says nothing.
    pub subject: Option<(&'static str, ShortId)>,
    /// Its particulars. The string `text`, if there is one, is what the activity
    /// log shows; otherwise it shows the kind's description.
    pub payload: serde_json::Value,
}

/// Writes an event, its line in the activity log and its deliveries; they exist if `tx`
/// commits.
pub async fn emit(tx: &Tx, new: NewEvent) -> Result<EventId> {
    let about = About::of(
        tx,
        new.by,
        new.subject.as_ref(),
        new.environment_id,
        new.address.as_deref(),
    )
    .await?;
    let at = tx.now().await?;
    let model = event::ActiveModel {
        kind: Set(new.kind.to_owned()),
        account_id: Set(new.account_id.raw()),
        environment_id: Set(new.environment_id.raw()),
        job_id: Set(new.job_id.raw()),
        actor: Set(new.actor),
        payload: Set(new.payload.raw()),
        at: Set(at.millis()),
        ..Default::default()
    };
    let model = model.insert(tx.connection()).await?;
    let id = model.id;
    activity::record(tx, EventRow::read(model)?.line(about)).await?;
    let told = Told {
        event: EventId::new(id),
        kind: new.kind,
        account: new.account_id,
        environment: new.environment_id,
        subject: new.subject.as_ref(),
        payload: &new.payload,
        at,
    };
    webhooks::fan_out(tx, &told).await?;
    let mailed = catalog::mail::is_told(told.kind).then_some(&MAIL);
    for consumer in CONSUMERS.iter().chain(mailed) {
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
