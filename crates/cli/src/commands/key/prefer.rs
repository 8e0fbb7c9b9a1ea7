//! `pressroom key prefer`

use super::parse;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::SshKeyId;
use pressroom_fleet::{Caller, Fleet};

/// Opens hosts of its account that name no key with this one from now on. Its line must
/// be in their `authorized_keys` before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom key prefer 2
  pressroom --json key prefer 2")]
pub struct Prefer {
    /// The key's number, as `pressroom key list` shows it
    #[arg(value_parser = parse)]
    pub id: SshKeyId,
}

impl Prefer {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let key = fleet.prefer_ssh_key(caller, self.id).await?;
        if printer.json() {
            printer.json_line(&key);
        }
        printer.note(&format!(
            "key {} opens hosts of `{}` that name none",
            key.id, key.account
        ));
        Ok(Exit::Done)
    }
}
