//! Mail: what people are told who may be looking at nothing.
//!
//! An event that is told by mail has a row for it in the outbox, written with it. From there
//! it becomes a mail to each person concerned, in the same transaction in which the outbox
//! forgets it; and a [`Mailer`] hands that to a server, again until it is taken. A link that
//! is for one person is written by the use case that makes it; its secret is kept apart from
//! the text, sealed, and forgotten once the mail was sent.

mod alert;
mod letters;
mod mailer;
mod operate;
mod words;

pub use letters::Passing;
pub use mailer::Mailer;
pub use operate::{Mail, MailTrouble};
pub use pressroom_providers::mail::{Security, Server, Smtp};
