//! `pressroom webhook replay`

use super::{delivery, endpoint};
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet};

/// Queues what was delivered or given up again, under the same id: a receiver that had it
/// can tell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom webhook replay evt_abcdefghij0123456789
  pressroom webhook replay --all whe_0t2a41n5k9d3m7q8x6zc")]
pub struct Replay {
    /// The delivery
    #[arg(value_parser = delivery, required_unless_present = "all", conflicts_with = "all")]
    pub id: Option<ShortId>,
    /// All that was given up for this receiver
    #[arg(long, value_name = "RECEIVER", value_parser = endpoint)]
    pub all: Option<ShortId>,
}

impl Replay {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let replayed = match (&self.id, &self.all) {
            (Some(id), _) => fleet.replay_webhook(caller, id).await?,
            (None, Some(all)) => fleet.replay_given_up_webhooks(caller, all).await?,
            (None, None) => {
                return Err(Failure::usage(
                    "name a delivery, or a receiver with `--all`",
                ));
            }
        };
        printer.one(&replayed, &replayed.queued.to_string());
        printer.note("queued again; a running worker sends them");
        Ok(Exit::Done)
    }
}
