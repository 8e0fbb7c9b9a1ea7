//! `pressroom mail test`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};
use serde_json::json;

/// Hands one mail to the configured server now, and says whether it was taken. That the
/// server takes it does not yet mean that it arrives: look for it there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom mail test you@example.com
  pressroom --json mail test you@example.com")]
pub struct Test {
    /// To whom
    pub address: String,
}

impl Test {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        fleet.test_mail(caller, &self.address).await?;
        if printer.json() {
            printer.json_line(&json!({ "taken": true, "to": self.address }));
        }
        printer.note(&format!(
            "the server took a mail to {}; look whether it arrives",
            self.address
        ));
        Ok(Exit::Done)
    }
}
