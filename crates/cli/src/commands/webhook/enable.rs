//! `pressroom webhook enable`

use super::{ENDPOINT, endpoint, list::shown};
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet, webhooks::WebhookChange};

/// Switches a receiver on again. What failed before does not count any more; what was given up
/// stays so until `pressroom webhook replay`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom webhook enable whe_0t2a41n5k9d3m7q8x6zc")]
pub struct Enable {
    /// The receiver
    #[arg(value_parser = endpoint)]
    pub id: ShortId,
}

impl Enable {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let change = WebhookChange {
            active: Some(true),
            ..WebhookChange::default()
        };
        let changed = fleet
            .change_webhook_endpoint(caller, &self.id, change)
            .await?;
        if printer.json() {
            printer.json_line(&shown(&changed.endpoint));
        }
        printer.note(&format!(
            "`{ENDPOINT}{}` is told of what happens from now on",
            self.id
        ));
        Ok(Exit::Done)
    }
}
