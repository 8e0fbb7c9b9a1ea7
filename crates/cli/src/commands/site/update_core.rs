//! `pressroom site update-core`

use super::find;
use crate::{Exit, Failure, Printer, progress};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, authorize::Action, core::UpdateCore as Wanted};

/// Updates WordPress and its tables. A snapshot of the tables is taken first; when the
/// site does not answer as before, files and tables are taken back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site update-core blog.example
  pressroom site update-core blog.example --minor
  pressroom site update-core wp_2f686f6d6 --version 6.5.5")]
pub struct UpdateCore {
    /// The site's id (`wp_…`) or domain
    pub id: String,
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
        let site = find(&self.id, Action::ComponentUpdate, fleet, caller).await?;
        let update = Wanted {
            version: self.version,
            minor_only: self.minor,
        };
        let job = fleet.update_core(caller, site.id, update).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
