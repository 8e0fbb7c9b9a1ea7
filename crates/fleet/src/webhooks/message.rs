//! What a message is made of, and who makes it.

use pressroom_base::{Secret, Timestamp, id::ShortId};
use pressroom_providers::webhook::{Poster, Rules};
use serde_json::Value;

/// What a receiver is to be told.
#[derive(Debug)]
pub struct Letter<'l> {
    /// What the receiver knows the delivery by; the same at every attempt.
    pub id: &'l ShortId,
    /// A name of [`pressroom_base::catalog::webhook`].
    pub event: &'l str,
    /// When it happened; the same at every attempt.
    pub at: Timestamp,
    /// The site as it was then, where it concerns one.
    pub site: Option<LetterSite<'l>>,
    /// The event's particulars.
    pub payload: &'l Value,
    /// What signs it.
    pub secret: &'l Secret<String>,
    /// What signed before that, while it signs as well.
    pub old_secret: Option<&'l Secret<String>>,
    /// When it is sent.
    pub now: Timestamp,
}

/// A site as it was when something happened.
#[derive(Debug, Clone, Copy)]
pub struct LetterSite<'l> {
    /// What programs call it.
    pub id: &'l str,
    /// Its name.
    pub name: Option<&'l str>,
    /// Its address.
    pub url: Option<&'l str>,
}

/// A letter in a dialect's words. Not `Debug`: it may carry what only its receiver is to
/// read.
pub struct Message {
    /// Headers, signatures included.
    pub headers: Vec<(&'static str, String)>,
    /// The body, as it was signed.
    pub body: String,
}

/// How a dialect writes a letter. The body must depend on nothing but the event: it is
/// written anew for each attempt.
pub type Compose = fn(&Letter<'_>) -> Message;

/// How messages are written and sent.
#[derive(Debug, Default)]
pub struct Post {
    pub(super) compose: Option<Compose>,
    pub(super) poster: Poster,
}

impl Post {
    /// Writes in these words and sends by these rules.
    pub fn new(compose: Compose, rules: Rules) -> Self {
        Self {
            compose: Some(compose),
            poster: Poster::new(rules),
        }
    }
}
