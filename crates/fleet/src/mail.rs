//! Mail: what people are told who may be looking at nothing.
//!
//! An event that is told by mail has a row for it in the outbox, written with it. From there
//! it becomes a mail to each person concerned, in the same transaction in which the outbox
//! forgets it; and a [`Mailer`] hands that to a server, again until it is taken.

mod alert;
mod mailer;
mod words;

pub use mailer::Mailer;
pub use pressroom_providers::mail::{Security, Server, Smtp};
