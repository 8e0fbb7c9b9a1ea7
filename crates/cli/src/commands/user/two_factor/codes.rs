//! `pressroom user two-factor codes`

use super::tell;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Gives other backup codes; the old ones are good no more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user two-factor codes ann@example.com
  pressroom --json user two-factor codes ann@example.com")]
pub struct Codes {
    /// The person's address
    pub email: String,
}

impl Codes {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let codes = fleet.replace_backup_codes(caller, &self.email).await?;
        tell(codes, printer);
        Ok(Exit::Done)
    }
}
