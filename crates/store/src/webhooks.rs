//! Webhooks: where accounts are told of what happens, and what is on its way there.

pub mod deliveries;
pub mod endpoints;
mod fan_out;

pub use deliveries::{WebhookDeliveryRow, WebhookState};
pub use endpoints::{NewWebhookEndpoint, WebhookEndpointPatch, WebhookEndpointRow};
pub(crate) use fan_out::{Told, fan_out};
