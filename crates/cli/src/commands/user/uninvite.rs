//! `pressroom user uninvite`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Takes an invitation back: its link leads nowhere from now on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user uninvite bob@example.com --account agency
  pressroom --json user uninvite bob@example.com --account agency")]
pub struct Uninvite {
    /// The address that was invited
    pub email: String,
    /// The account's name
    #[arg(long)]
    pub account: String,
}

impl Uninvite {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let account = fleet.account_named(caller, &self.account).await?;
        let invitation = fleet
            .withdraw_invitation(caller, account.id, &self.email)
            .await?;
        if printer.json() {
            printer.json_line(&invitation);
        }
        printer.note("the link leads nowhere from now on");
        Ok(Exit::Done)
    }
}
