//! `pressroom user two-factor show`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Tells how a person's second factor stands: `off`, `proposed` or `on`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user two-factor show ann@example.com
  pressroom --json user two-factor show ann@example.com")]
pub struct Show {
    /// The person's address
    pub email: String,
}

impl Show {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let factor = fleet.show_second_factor(caller, &self.email).await?;
        printer.one(&factor, factor.state);
        if factor.state == "on" {
            printer.note(&format!(
                "{} backup codes are left",
                factor.backup_codes_left
            ));
        }
        Ok(Exit::Done)
    }
}
