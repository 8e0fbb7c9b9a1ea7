//! `pressroom key remove`

use super::parse;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::SshKeyId;
use pressroom_fleet::{Caller, Fleet};

/// Forgets a key that opens no host. Its line stays in `authorized_keys` where somebody
/// put it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom key remove 2
  pressroom --json key remove 2")]
pub struct Remove {
    /// The key's number, as `pressroom key list` shows it
    #[arg(value_parser = parse)]
    pub id: SshKeyId,
}

impl Remove {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let key = fleet.remove_ssh_key(caller, self.id).await?;
        if printer.json() {
            printer.json_line(&key);
        }
        printer.note(&format!(
            "key {} ({}) is forgotten; take its line out of `authorized_keys` where it is",
            key.id, key.fingerprint
        ));
        Ok(Exit::Done)
    }
}
