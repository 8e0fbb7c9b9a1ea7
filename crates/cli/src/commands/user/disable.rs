//! `pressroom user disable`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Shuts a person out: sessions end, and no token of theirs opens anything until they are
/// let in again. What they own stays.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user disable ann@example.com
  pressroom --json user disable ann@example.com")]
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
        let (user, changed) = fleet.disable_user(caller, &self.email).await?;
        if printer.json() {
            printer.json_line(&user);
        }
        printer.note(if changed {
            "nothing of theirs opens anything from now on"
        } else {
            "they were shut out already"
        });
        Ok(Exit::Done)
    }
}
