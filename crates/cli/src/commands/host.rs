//! `pressroom host …`

mod add;
mod discover;
mod forget_key;
mod list;
mod remove;
mod test;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_fleet::{Caller, Fleet};

/// Other machines, reached over SSH.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom key add --account agency
  pressroom host add deploy@web1.example --account agency
  pressroom host test web1.example
  pressroom host discover web1.example")]
pub enum Host {
    /// Add a host; nothing is asked of it yet
    Add(add::Add),
    /// Reach a host and tell what it is and has
    Test(test::Test),
    /// List each WordPress below the login's home
    Discover(discover::Discover),
    /// List hosts as they were last found
    List(list::List),
    /// Forget the key a host is known by, once it was changed on purpose
    ForgetKey(forget_key::ForgetKey),
    /// Remove our agent from a host, and the host from the records
    Remove(remove::Remove),
}

impl Host {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Add(add) => add.run(fleet, caller, printer).await,
            Self::Test(test) => test.run(fleet, caller, printer).await,
            Self::Discover(discover) => discover.run(fleet, caller, printer).await,
            Self::List(list) => list.run(fleet, caller, printer).await,
            Self::ForgetKey(forget) => forget.run(fleet, caller, printer).await,
            Self::Remove(remove) => remove.run(fleet, caller, printer).await,
        }
    }
}
