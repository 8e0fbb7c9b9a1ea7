//! `pressroom account add`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Adds an account; prints the id.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom account add agency --owner ann@example.com")]
pub struct Add {
    /// Its name
    pub name: String,
    /// Address of the person who owns it
    #[arg(long, value_name = "EMAIL")]
    pub owner: String,
}

impl Add {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let account = fleet.add_account(caller, &self.name, &self.owner).await?;
        printer.one(&account, &account.id.to_string());
        Ok(Exit::Done)
    }
}
