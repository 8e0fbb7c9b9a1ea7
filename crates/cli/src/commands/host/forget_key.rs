//! `pressroom host forget-key`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Forgets the key a host is known by: the next one it shows is learned. Only for a host
/// whose operator tells you that it was changed; otherwise somebody may be answering in
/// its place.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom host forget-key web1.example
  pressroom --json host forget-key 1")]
pub struct ForgetKey {
    /// The host's label, name or number
    pub host: String,
}

impl ForgetKey {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let host = fleet.forget_host_key(caller, &self.host).await?;
        if printer.json() {
            printer.json_line(&host);
        }
        printer.note(&format!(
            "the next key that `{}` shows is the one it will be known by",
            host.label
        ));
        Ok(Exit::Done)
    }
}
