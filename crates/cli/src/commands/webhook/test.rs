//! `pressroom webhook test`

use super::endpoint;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::{Kind, id::ShortId};
use pressroom_fleet::{Caller, Fleet};

/// Sends a receiver a signed message of the event `webhook.test` now, once, and shows what
/// it answers. A receiver that is switched off gets it too.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom webhook test whe_0t2a41n5k9d3m7q8x6zc
  pressroom --json webhook test whe_0t2a41n5k9d3m7q8x6zc")]
pub struct Test {
    /// The receiver
    #[arg(value_parser = endpoint)]
    pub id: ShortId,
}

impl Test {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let trial = fleet.try_webhook_endpoint(caller, &self.id).await?;
        if printer.json() {
            printer.json_line(&trial);
        } else if let Some(status) = trial.status {
            let answer = trial.answer.as_deref().unwrap_or_default();
            printer.line(format!("{status} {}", answer.trim()).trim_end());
        }
        if trial.delivered {
            return Ok(Exit::Done);
        }
        let why = match (trial.status, trial.error) {
            (Some(status), _) => format!("the receiver answered {status}"),
            (None, error) => format!(
                "the receiver was not reached: {}",
                error.unwrap_or_default()
            ),
        };
        Err(Failure::new(Kind::Unreachable, why)
            .with_hint("only an answer from 200 to 299 counts as delivered"))
    }
}
