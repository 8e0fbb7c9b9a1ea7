//! What went to a receiver, and what did not get there.

use super::find::webhook_endpoint;
use crate::{Caller, Fleet, Result, authorize::Action};
use pressroom_base::{Timestamp, id::ShortId};
use pressroom_store::{Page, WebhookDeliveryRow, WebhookState, webhooks::deliveries};
use serde::Serialize;

/// One event on its way to one receiver.
#[derive(Debug, Clone, Serialize)]
pub struct WebhookDelivery {
    /// What the receiver knows it by, after a prefix.
    #[serde(skip)]
    pub id: ShortId,
    /// The event.
    pub event: String,
    /// When it happened.
    pub at: Timestamp,
    /// `pending`, `delivered` or `given_up`.
    pub state: &'static str,
    /// Attempts that ended.
    pub attempts: i32,
    /// When it is sent next, while it is pending.
    pub due_at: Option<Timestamp>,
    /// What the last attempt was answered, if anything.
    pub last_status: Option<i64>,
    /// Why it failed.
    pub last_error: Option<String>,
    /// When it was delivered or given up.
    pub ended_at: Option<Timestamp>,
}

impl Fleet {
    /// The deliveries of a receiver, newest first; of one state, if one is named.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn list_webhook_deliveries(
        &self,
        caller: &Caller,
        endpoint: &ShortId,
        state: Option<WebhookState>,
        limit: u64,
    ) -> Result<Vec<WebhookDelivery>> {
        let store = &self.parts.store;
        let row = webhook_endpoint(store, caller, Action::WebhookRead, endpoint).await?;
        let rows = deliveries::list(store, row.id, state, Page::first(limit)).await?;
        Ok(rows.into_iter().map(WebhookDelivery::from).collect())
    }
}

impl From<WebhookDeliveryRow> for WebhookDelivery {
    fn from(row: WebhookDeliveryRow) -> Self {
        let pending = row.state == WebhookState::Pending;
        Self {
            id: row.short_id,
            event: row.kind,
            at: row.at,
            state: row.state.as_str(),
            attempts: row.attempts,
            due_at: pending.then_some(row.due_at),
            last_status: row.last_status,
            last_error: row.last_error,
            ended_at: row.ended_at,
        }
    }
}
