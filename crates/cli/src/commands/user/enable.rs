//! `pressroom user enable`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Lets a person in again, with their password. Tokens that were made for programs open
/// what they did before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user enable ann@example.com
  pressroom --json user enable ann@example.com")]
pub struct Enable {
    /// The person's address
    pub email: String,
}

impl Enable {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let (user, changed) = fleet.enable_user(caller, &self.email).await?;
        if printer.json() {
            printer.json_line(&user);
        }
        printer.note(if changed {
            "they may sign in again"
        } else {
            "they were let in already"
        });
        Ok(Exit::Done)
    }
}
