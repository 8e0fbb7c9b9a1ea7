//! Events on their way to receivers.

use super::endpoints;
use crate::{
    Error, Page, Read, Result, Store, Tx,
    outbox::{DUE, Hold, Outbox},
    sql,
};
use pressroom_base::{
    Timestamp,
    id::{EventId, ShortId, WebhookDeliveryId, WebhookEndpointId},
};
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Value,
};
use std::time::Duration;

const DELIVERIES: Outbox = Outbox("webhook_deliveries");

names! {
    /// How far a delivery is.
    WebhookState {
        /// It is to be sent, or sent again.
        Pending = "pending",
        /// It was answered with a success.
        Delivered = "delivered",
        /// It is not sent again unless somebody asks for that.
        GivenUp = "given_up",
    }
}

table! {
    /// One event on its way to one receiver.
    WebhookDeliveryRow = delivery("webhook_deliveries") {
        /// The row.
        id: WebhookDeliveryId,
        /// Where it goes.
        endpoint_id: WebhookEndpointId,
        /// The event; it may be gone.
        event_id: EventId,
        /// What the receiver knows it by, the same at every attempt; unique.
        short_id: ShortId,
        /// The event's kind.
        kind: String,
        /// When it happened.
        at: Timestamp,
        /// What programs call the site it concerns.
        site_id: Option<String>,
        /// What the site was called then.
        site_name: Option<String>,
        /// Where it was then.
        site_url: Option<String>,
        /// The event's particulars.
        payload: serde_json::Value,
        /// How far it is.
        state: WebhookState,
        /// Attempts that ended.
        attempts: i32,
        /// When it is to be sent.
        due_at: Timestamp,
        /// Who sends it now.
        claim: Option<String>,
        /// Until when nobody else does.
        lease_until: Option<Timestamp>,
        /// What the last attempt was answered, if at all.
        last_status: Option<i64>,
        /// Why it failed.
        last_error: Option<String>,
        /// When it was written down.
        created_at: Timestamp,
        /// When it was delivered or given up.
        ended_at: Option<Timestamp>,
    }
}

/// A receiver for which something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The receiver.
    pub endpoint: WebhookEndpointId,
    /// Where it is.
    pub url: String,
    /// Whether the last attempt failed.
    pub failing: bool,
}

/// How an attempt ended, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// What was answered, if anything was.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The receivers for which something is due that nobody sends.
pub async fn ready(store: &Store) -> Result<Vec<Ready>> {
    if !DELIVERIES.has_due(store).await? {
        return Ok(Vec::new());
    }
    let now = store.now().await?.millis();
    let rows = sql::all(
        store,
        format!(
            "SELECT e.id, e.url, e.failure_count FROM webhook_endpoints e WHERE e.active \
             AND EXISTS (SELECT 1 FROM webhook_deliveries d \
                         WHERE d.endpoint_id = e.id AND {DUE}) ORDER BY e.id"
        ),
        [now.into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Ready {
                endpoint: WebhookEndpointId::new(row.try_get("", "id")?),
                url: row.try_get("", "url")?,
                failing: row.try_get::<i64>("", "failure_count")? > 0,
            })
        })
        .collect()
}

/// Claims at most `most` of what is due for a receiver, oldest first. A claim lapses after
/// `lease`: then somebody else sends it.
pub async fn claim(
    store: &Store,
    endpoint: WebhookEndpointId,
    most: u64,
    claim: &str,
    lease: Duration,
) -> Result<Vec<WebhookDeliveryRow>> {
    let only = ("endpoint_id = $3", vec![endpoint.get().into()]);
    let hold = Hold { claim, lease };
    let rows = DELIVERIES.claim(store, only, most, hold).await?;
    rows.iter()
        .map(|row| {
            let mut row = WebhookDeliveryRow::read(delivery::Model::from_query_result(row, "")?)?;
            row.claim = Some(claim.to_owned());
            Ok(row)
        })
        .collect()
}

/// It arrived; `false` when that was known already, or somebody else sends it now. What was
/// given up meanwhile arrived all the same.
pub async fn delivered(tx: &Tx, row: &WebhookDeliveryRow, status: u16) -> Result<bool> {
    end(
        tx,
        row,
        "state = 'delivered', ended_at = $3, last_status = $4, last_error = NULL",
        "state <> 'delivered'",
        [tx.now().await?.millis().into(), i64::from(status).into()],
    )
    .await
}

/// It did not arrive and is sent again after this; `false` when it is not this sender's to
/// say any more.
pub async fn postpone(
    tx: &Tx,
    row: &WebhookDeliveryRow,
    after: Duration,
    attempt: &Attempt,
) -> Result<bool> {
    end(
        tx,
        row,
        "due_at = $3, last_status = $4, last_error = $5",
        "state = 'pending'",
        [
            tx.now().await?.plus(after).millis().into(),
            attempt.status.map(i64::from).into(),
            attempt.error.clone().into(),
        ],
    )
    .await
}

/// It did not arrive and is not sent again; `false` as in [`postpone`].
pub async fn give_up(tx: &Tx, row: &WebhookDeliveryRow, attempt: &Attempt) -> Result<bool> {
    end(
        tx,
        row,
        "state = 'given_up', ended_at = $3, last_status = $4, last_error = $5",
        "state = 'pending'",
        [
            tx.now().await?.millis().into(),
            attempt.status.map(i64::from).into(),
            attempt.error.clone().into(),
        ],
    )
    .await
}

/// Gives up all that waits for a receiver; says how many these were.
pub async fn give_up_all(tx: &Tx, endpoint: WebhookEndpointId, why: &str) -> Result<u64> {
    sql::run(
        tx,
        "UPDATE webhook_deliveries SET state = 'given_up', ended_at = $1, last_error = $2 \
         WHERE endpoint_id = $3 AND state = 'pending'",
        [
            tx.now().await?.millis().into(),
            why.into(),
            endpoint.get().into(),
        ],
    )
    .await
}

/// Gives up what was written down for a receiver while that was being switched off.
pub async fn give_up_stranded(tx: &Tx, why: &str) -> Result<u64> {
    sql::run(
        tx,
        "UPDATE webhook_deliveries SET state = 'given_up', ended_at = $1, last_error = $2 \
         WHERE state = 'pending' AND endpoint_id IN \
         (SELECT id FROM webhook_endpoints WHERE NOT active)",
        [tx.now().await?.millis().into(), why.into()],
    )
    .await
}

/// Has a delivery that ended begin anew, under the same id; `false` while it is pending.
pub async fn replay(tx: &Tx, id: WebhookDeliveryId) -> Result<bool> {
    let replayed = again(tx, "id = $2 AND state <> 'pending'", id.get()).await?;
    Ok(replayed > 0)
}

/// The same of all that were given up for a receiver; says how many.
pub async fn replay_given_up(tx: &Tx, endpoint: WebhookEndpointId) -> Result<u64> {
    again(
        tx,
        "endpoint_id = $2 AND state = 'given_up'",
        endpoint.get(),
    )
    .await
}

/// The delivery that receivers know by this id.
pub async fn by_short_id(from: &impl Read, id: &ShortId) -> Result<Option<WebhookDeliveryRow>> {
    let found = delivery::Entity::find()
        .filter(delivery::Column::ShortId.eq(id.as_str()))
        .one(from.connection())
        .await?;
    found.map(WebhookDeliveryRow::read).transpose()
}

/// What went to a receiver, newest first.
pub async fn list(
    from: &impl Read,
    endpoint: WebhookEndpointId,
    state: Option<WebhookState>,
    page: Page,
) -> Result<Vec<WebhookDeliveryRow>> {
    let mut query =
        delivery::Entity::find().filter(delivery::Column::EndpointId.eq(endpoint.get()));
    if let Some(state) = state {
        query = query.filter(delivery::Column::State.eq(state.as_str()));
    }
    let found = query
        .order_by_desc(delivery::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(WebhookDeliveryRow::read).collect()
}

/// How many are in this state.
pub async fn count(
    from: &impl Read,
    endpoint: WebhookEndpointId,
    state: WebhookState,
) -> Result<u64> {
    Ok(delivery::Entity::find()
        .filter(delivery::Column::EndpointId.eq(endpoint.get()))
        .filter(delivery::Column::State.eq(state.as_str()))
        .count(from.connection())
        .await?)
}

/// Forgets what was delivered, or given up, longer ago than this; says how many.
pub async fn prune(tx: &Tx, delivered: Duration, given_up: Duration) -> Result<u64> {
    let now = tx.now().await?;
    sql::run(
        tx,
        "DELETE FROM webhook_deliveries WHERE (state = 'delivered' AND ended_at < $1) \
         OR (state = 'given_up' AND ended_at < $2)",
        [
            now.minus(delivered).millis().into(),
            now.minus(given_up).millis().into(),
        ],
    )
    .await
}

async fn end(
    tx: &Tx,
    row: &WebhookDeliveryRow,
    set: &str,
    only: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<bool> {
    let held = (row.id.get(), row.claim.as_deref());
    DELIVERIES.end(tx, held, set, only, values).await
}

async fn again(tx: &Tx, which: &str, id: i64) -> Result<u64> {
    let replayed = sql::run(
        tx,
        format!(
            "UPDATE webhook_deliveries SET state = 'pending', attempts = 0, due_at = $1, \
             claim = NULL, lease_until = NULL, ended_at = NULL WHERE {which}"
        ),
        [tx.now().await?.millis().into(), id.into()],
    )
    .await?;
    if replayed > 0 {
        tx.signal(crate::Signal::Event);
    }
    Ok(replayed)
}

/// The receiver of a delivery.
pub async fn endpoint_of(
    from: &impl Read,
    row: &WebhookDeliveryRow,
) -> Result<endpoints::WebhookEndpointRow> {
    let found = endpoints::get(from, row.endpoint_id).await?;
    found.ok_or(Error::NotFound {
        what: "webhook endpoint",
    })
}
