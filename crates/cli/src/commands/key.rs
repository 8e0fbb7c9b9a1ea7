//! `pressroom key …`

mod add;
mod list;
mod prefer;
mod remove;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_base::id::SshKeyId;
use pressroom_fleet::{Caller, Fleet};

/// Keys that open hosts.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom key add --account agency
  pressroom key add --account agency --import ~/.ssh/id_ed25519
  pressroom key list")]
pub enum Key {
    /// Make a key, or import one; prints the line for `authorized_keys`
    Add(add::Add),
    /// List keys, without the private halves
    List(list::List),
    /// Open hosts that name no key with this one
    Prefer(prefer::Prefer),
    /// Forget a key
    Remove(remove::Remove),
}

impl Key {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Add(add) => add.run(fleet, caller, printer).await,
            Self::List(list) => list.run(fleet, caller, printer).await,
            Self::Prefer(prefer) => prefer.run(fleet, caller, printer).await,
            Self::Remove(remove) => remove.run(fleet, caller, printer).await,
        }
    }
}

/// Keys are named by their numbers: labels may come twice.
fn parse(text: &str) -> Result<SshKeyId, String> {
    text.parse::<SshKeyId>()
        .ok()
        .filter(|id| id.get() > 0)
        .ok_or_else(|| "a key is named by the number that `pressroom key list` shows".to_owned())
}
