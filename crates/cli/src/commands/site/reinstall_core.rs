//! `pressroom site reinstall-core`

use crate::{Exit, Failure, Printer, commands::place::Place};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, runs::Operation};

/// Lays the files of WordPress down anew, in the version that is there. `wp-content`,
/// `wp-config.php` and the tables are not touched.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site reinstall-core blog.example
  pressroom site reinstall-core --on account:acme")]
pub struct ReinstallCore {
    /// Where
    #[command(flatten)]
    pub place: Place,
}

impl ReinstallCore {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let operation = Operation::ReinstallCore;
        self.place
            .carry_out(operation, fleet, caller, printer)
            .await
    }
}
