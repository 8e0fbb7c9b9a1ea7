//! A message that tells of nothing, to see whether the receiver takes it.

use super::{
    find::webhook_endpoint,
    message::{Letter, LetterSite},
};
use crate::{Caller, Fleet, Result, authorize::Action};
use pressroom_base::id::ShortId;
use pressroom_store::webhooks::endpoints;
use serde::Serialize;
use serde_json::json;

/// The event that is none.
const EVENT: &str = "webhook.test";

/// What came of a trial.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
    /// Whether it was answered with a success.
    pub delivered: bool,
    /// What was answered, if anything was.
    pub status: Option<u16>,
    /// The beginning of what was said.
    pub answer: Option<String>,
    /// Why nothing was answered.
    pub error: Option<String>,
}

impl Fleet {
    /// Sends a receiver a signed message now, once, whether it is switched on or not. It
    /// counts neither as a success nor as a failure.
    ///
    /// Errors: `NotFound`, `Unsupported` (nobody here writes webhooks), `Forbidden`.
    pub async fn try_webhook_endpoint(&self, caller: &Caller, id: &ShortId) -> Result<Trial> {
        let store = &self.parts.store;
        let row = webhook_endpoint(store, caller, Action::WebhookManage, id).await?;
        let now = store.now().await?;
        let secrets = endpoints::secrets(store, &row, now)?;
        let (delivery, site) = (ShortId::random(), ShortId::stored("0".repeat(20)));
        let payload = json!({ "text": "A test: nothing happened." });
        let message = self.composed(&Letter {
            id: &delivery,
            event: EVENT,
            at: now,
            site: Some(LetterSite {
                id: site.as_str(),
                name: Some("Test"),
                url: Some("https://example.com"),
            }),
            payload: &payload,
            secret: &secrets.current,
            old_secret: secrets.old.as_ref(),
            now,
        })?;
        Ok(match self.send(&row, message).await {
            Ok(answered) => Trial {
                delivered: (200..300).contains(&answered.status),
                status: Some(answered.status),
                answer: Some(answered.text),
                error: None,
            },
            Err(error) => Trial {
                delivered: false,
                status: None,
                answer: None,
                error: Some(error.to_string()),
            },
        })
    }
}
