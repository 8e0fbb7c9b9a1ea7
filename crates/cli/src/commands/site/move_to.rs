//! `pressroom site move`

use super::find;
use crate::{Exit, Failure, Printer, progress};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, authorize::Action, sites::MoveSite};

/// Moves a site to another, empty domain of its account. Its address changes in its
/// tables and in `wp-config.php`; files, Unix user and database stay whole. A snapshot
/// is taken first. When the site does not answer at the new address as before, the
/// move is taken back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site move blog.example news.example
  pressroom site move wp_2f686f6d6 news.example --json")]
pub struct Move {
    /// The site's id (`wp_…`) or domain
    pub id: String,
    /// The domain it moves to; added before with `pressroom domain add`
    pub domain: String,
}

impl Move {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::SiteMove, fleet, caller).await?;
        let to = MoveSite {
            domain: self.domain,
        };
        let job = fleet.move_site(caller, site.id, to).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
