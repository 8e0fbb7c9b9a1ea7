//! `pressroom site update-core`

use crate::{Exit, Failure, Printer, commands::place::Place};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, core::UpdateCore as Wanted, runs::Operation};

/// Updates WordPress and its tables. A snapshot of the tables is taken first; when the
/// site does not answer as before, files and tables are taken back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site update-core blog.example
  pressroom site update-core blog.example --minor
  pressroom site update-core wp_2f686f6d6 --version 6.5.5
  pressroom site update-core --on 'env:production core<6.5.5' --minor")]
pub struct UpdateCore {
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// The version; the newest that is offered without it
    #[arg(long)]
    pub version: Option<String>,
    /// Stay within the branch: from 6.5.2 to 6.5.5, not to 6.6
    #[arg(long)]
    pub minor: bool,
}

impl UpdateCore {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let update = Wanted {
            version: self.version,
            minor_only: self.minor,
        };
        let operation = Operation::UpdateCore(update);
        self.place
            .carry_out(operation, fleet, caller, printer)
            .await
    }
}
