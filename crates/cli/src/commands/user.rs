//! `pressroom user …`

mod add;
mod disable;
mod enable;
mod list;
mod password;
mod two_factor;

pub use add::Add;
pub(in crate::commands) use add::read_password;
pub use disable::Disable;
pub use enable::Enable;
pub use list::List;
pub use password::Password;
pub use two_factor::TwoFactor;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_fleet::{Caller, Fleet};

/// People who may sign in.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom user add ann@example.com --name Ann --password-stdin < password.txt
  pressroom user list
  pressroom user two-factor enable ann@example.com
  pressroom user disable ann@example.com")]
pub enum User {
    /// Add a person; prints the id
    Add(Add),
    /// List everybody
    List(List),
    /// Give a person another password
    Password(Password),
    /// Shut a person out
    Disable(Disable),
    /// Let a person in again
    Enable(Enable),
    /// Codes that signing in takes besides the password
    #[command(subcommand)]
    TwoFactor(TwoFactor),
}

impl User {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Add(add) => add.run(fleet, caller, printer).await,
            Self::List(list) => list.run(fleet, caller, printer).await,
            Self::Password(password) => password.run(fleet, caller, printer).await,
            Self::Disable(disable) => disable.run(fleet, caller, printer).await,
            Self::Enable(enable) => enable.run(fleet, caller, printer).await,
            Self::TwoFactor(factor) => Box::pin(factor.run(fleet, caller, printer)).await,
        }
    }
}
