//! `pressroom mail …`

mod list;
mod test;

pub use list::List;
pub use test::Test;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_fleet::{Caller, Fleet};

/// What people are told by mail.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom mail test you@example.com
  pressroom mail list")]
pub enum Mail {
    /// Hand one mail to the server now
    Test(Test),
    /// List the last mails
    List(List),
}

impl Mail {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Test(test) => test.run(fleet, caller, printer).await,
            Self::List(list) => list.run(fleet, caller, printer).await,
        }
    }
}
