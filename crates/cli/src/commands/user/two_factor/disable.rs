//! `pressroom user two-factor disable`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};
use serde_json::json;

/// Has signing in ask for a password alone. The secret and the backup codes are
/// forgotten: this is also the way out for somebody who lost both.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user two-factor disable ann@example.com
  pressroom --json user two-factor disable ann@example.com")]
pub struct Disable {
    /// The person's address
    pub email: String,
}

impl Disable {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let was_on = fleet.disable_second_factor(caller, &self.email).await?;
        if printer.json() {
            printer.json_line(&json!({ "was_on": was_on }));
        }
        printer.note(if was_on {
            "signing in takes a password alone"
        } else {
            "two-factor was off already"
        });
        Ok(Exit::Done)
    }
}
