//! `pressroom webhook rotate`

use super::{endpoint, list::shown};
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::{Secret, id::ShortId};
use pressroom_fleet::{Caller, Fleet, webhooks::WebhookChange};

/// Gives a receiver another secret and prints it: it is shown only now. For 24 hours the old one
/// signs as well.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom webhook rotate whe_0t2a41n5k9d3m7q8x6zc")]
pub struct Rotate {
    /// The receiver
    #[arg(value_parser = endpoint)]
    pub id: ShortId,
}

impl Rotate {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let change = WebhookChange {
            rotate_secret: true,
            ..WebhookChange::default()
        };
        let changed = fleet
            .change_webhook_endpoint(caller, &self.id, change)
            .await?;
        let secret = changed.secret.map(Secret::into_inner).unwrap_or_default();
        let mut value = shown(&changed.endpoint);
        value["secret"] = secret.clone().into();
        printer.one(&value, &secret);
        printer.note(
            "the old secret signs as well for 24 hours; until then `X-WPSentinel-Signature` is made with it",
        );
        Ok(Exit::Done)
    }
}
