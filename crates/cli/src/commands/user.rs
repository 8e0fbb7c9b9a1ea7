//! `pressroom user …`

mod add;
mod disable;
mod enable;
mod invitations;
mod invite;
mod list;
mod password;
mod reset;
mod two_factor;
mod uninvite;

pub use add::Add;
pub(in crate::commands) use add::read_password;
pub use disable::Disable;
pub use enable::Enable;
pub use invitations::Invitations;
pub use invite::Invite;
pub use list::List;
pub use password::Password;
pub use reset::Reset;
pub use two_factor::TwoFactor;
pub use uninvite::Uninvite;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_fleet::{Caller, Fleet};

/// People who may sign in.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom user add ann@example.com --name Ann --password-stdin < password.txt
  pressroom user invite bob@example.com --account agency --role member
  pressroom user list
  pressroom user two-factor enable ann@example.com
  pressroom user disable ann@example.com")]
pub enum User {
    /// Add a person; prints the id
    Add(Add),
    /// Invite somebody to an account
    Invite(Invite),
    /// List the invitations that may be accepted
    Invitations(Invitations),
    /// Take an invitation back
    Uninvite(Uninvite),
    /// List everybody
    List(List),
    /// Give a person another password
    Password(Password),
    /// Make a link by which a person gives themselves another password
    Reset(Reset),
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
            Self::Invite(invite) => invite.run(fleet, caller, printer).await,
            Self::Invitations(list) => list.run(fleet, caller, printer).await,
            Self::Uninvite(uninvite) => uninvite.run(fleet, caller, printer).await,
            Self::Reset(reset) => reset.run(fleet, caller, printer).await,
            Self::List(list) => list.run(fleet, caller, printer).await,
            Self::Password(password) => password.run(fleet, caller, printer).await,
            Self::Disable(disable) => disable.run(fleet, caller, printer).await,
            Self::Enable(enable) => enable.run(fleet, caller, printer).await,
            Self::TwoFactor(factor) => Box::pin(factor.run(fleet, caller, printer)).await,
        }
    }
}
