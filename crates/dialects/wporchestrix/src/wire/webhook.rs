//! W26 to W30.

use super::id;
use pressroom_base::Secret;
use pressroom_fleet::webhooks::{LastDelivery, WebhookEndpoint};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the account's events are told.
#[derive(Serialize, ToSchema)]
pub struct WebhookEndpointOut {
    id: String,
    url: String,
    description: Option<String>,
    /// Names of events; `*` for all that are published.
    events: Vec<String>,
    active: bool,
    /// What signs the messages; only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret: Option<String>,
    secret_last_four: String,
    /// Attempts that failed since the last that did not.
    failure_count: i64,
    /// `gone` or `failing`, where it was switched off for that.
    disabled_reason: Option<String>,
    last_delivery: Option<LastDeliveryOut>,
    created_at: String,
    updated_at: String,
}

/// The last attempt to tell something there.
#[derive(Serialize, ToSchema)]
pub struct LastDeliveryOut {
    event: String,
    /// Null where nothing was answered.
    status: Option<i64>,
    at: String,
}

/// A place to add.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct WebhookEndpointIn {
    /// Where messages are posted; `https`. Required.
    pub url: Option<String>,
    /// Names of events, or `*`. Required.
    pub events: Option<Vec<String>>,
    /// At most 255 characters.
    pub description: Option<String>,
    /// Whether it is told of anything yet; true unless it says otherwise.
    pub active: Option<bool>,
}

/// What is to be changed of one; the rest stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct WebhookEndpointPatchIn {
    /// Where messages are posted; `https`.
    pub url: Option<String>,
    /// Names of events, or `*`.
    pub events: Option<Vec<String>>,
    /// At most 255 characters.
    pub description: Option<String>,
    /// Whether it is told of anything.
    pub active: Option<bool>,
    /// Whether it gets another secret; the old one signs for 24 hours as well.
    pub rotate_secret: Option<bool>,
}

impl WebhookEndpointOut {
    /// With its secret, where that was made just now.
    pub fn new(endpoint: WebhookEndpoint, secret: Option<Secret<String>>) -> Self {
        Self {
            id: id::webhook_endpoint(&endpoint.id),
            url: endpoint.url,
            description: Some(endpoint.description).filter(|text| !text.is_empty()),
            events: endpoint.events,
            active: endpoint.active,
            secret: secret.map(Secret::into_inner),
            secret_last_four: endpoint.secret_last_four,
            failure_count: endpoint.failure_count,
            disabled_reason: endpoint.disabled_reason,
            last_delivery: endpoint.last_delivery.map(LastDeliveryOut::from),
            created_at: endpoint.created_at.to_rfc3339(),
            updated_at: endpoint.updated_at.to_rfc3339(),
        }
    }
}

impl From<LastDelivery> for LastDeliveryOut {
    fn from(last: LastDelivery) -> Self {
        Self {
            event: last.event,
            status: last.status,
            at: last.at.to_rfc3339(),
        }
    }
}
