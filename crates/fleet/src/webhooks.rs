//! Webhooks: receivers that an account names are told of what happens to its sites.
//!
//! What is to be told is written with the event ([`pressroom_store::events::emit`]); the
//! [`Courier`] sends it, and again, until it arrived or was tried often enough. How a
//! message looks is a face's business: it gives the fleet a [`Compose`].

mod add;
mod attempt;
mod change;
mod courier;
mod deliveries;
mod find;
mod list;
mod message;
mod remove;
mod replay;
mod schedule;
mod secret;
mod trial;
mod values;
mod view;

pub use add::NewWebhookEndpoint;
pub use change::{Changed, WebhookChange};
pub use courier::Courier;
pub use deliveries::WebhookDelivery;
pub use message::{Compose, Letter, LetterSite, Message, Post};
pub use pressroom_providers::webhook::{Answered, LookUp, Poster, Rules};
pub use pressroom_store::WebhookState;
pub use replay::Replayed;
pub use trial::Trial;
pub use view::{LastDelivery, WebhookEndpoint};
