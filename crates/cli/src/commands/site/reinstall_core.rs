//! `pressroom site reinstall-core`

use super::find;
use crate::{Exit, Failure, Printer, progress};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, authorize::Action};

/// Lays the files of WordPress down anew, in the version that is there. `wp-content`,
/// `wp-config.php` and the tables are not touched.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site reinstall-core blog.example")]
pub struct ReinstallCore {
    /// The site's id (`wp_…`) or domain
    pub id: String,
}

impl ReinstallCore {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::ComponentUpdate, fleet, caller).await?;
        let job = fleet.reinstall_core(caller, site.id).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
