//! A receiver as people and programs see it: without what signs.

use crate::{Result, accounts};
use pressroom_base::{
    Secret, Timestamp,
    id::{AccountId, ShortId},
};
use pressroom_store::{Store, WebhookEndpointRow, webhooks::endpoints};

/// A receiver of an account's events.
#[derive(Debug, Clone)]
pub struct WebhookEndpoint {
    /// What programs call it.
    pub id: ShortId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The account's name.
    pub account: String,
    /// Where messages are posted.
    pub url: String,
    /// What its owner wrote to it.
    pub description: String,
    /// The events it is told of.
    pub events: Vec<String>,
    /// Whether it is told of anything.
    pub active: bool,
    /// Why Pressroom stopped telling it: `gone` or `failing`.
    pub disabled_reason: Option<String>,
    /// The end of what signs.
    pub secret_last_four: String,
    /// Attempts that failed since the last that did not.
    pub failure_count: i64,
    /// The last attempt.
    pub last_delivery: Option<LastDelivery>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When somebody last changed it.
    pub updated_at: Timestamp,
}

/// The last attempt to tell a receiver something.
#[derive(Debug, Clone)]
pub struct LastDelivery {
    /// The event.
    pub event: String,
    /// What was answered, if anything was.
    pub status: Option<i64>,
    /// When.
    pub at: Timestamp,
}

impl WebhookEndpoint {
    pub(super) async fn of(store: &Store, row: WebhookEndpointRow) -> Result<Self> {
        let account = accounts::name_of(store, row.account_id).await?;
        Self::named(store, row, account)
    }

    pub(super) fn named(store: &Store, row: WebhookEndpointRow, account: String) -> Result<Self> {
        let secrets = endpoints::secrets(store, &row, row.updated_at)?;
        let last_delivery = row
            .last_event
            .zip(row.last_at)
            .map(|(event, at)| LastDelivery {
                event,
                status: row.last_status,
                at,
            });
        Ok(Self {
            id: row.short_id,
            account_id: row.account_id,
            account,
            url: row.url,
            description: row.description,
            events: row.events,
            active: row.active,
            disabled_reason: row.disabled_reason,
            secret_last_four: last_four(&secrets.current),
            failure_count: row.failure_count,
            last_delivery,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn last_four(secret: &Secret<String>) -> String {
    let text = secret.expose();
    let start = text.len().saturating_sub(4);
    text.get(start..).unwrap_or_default().to_owned()
}
