//! `pressroom site release`

use super::find;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, authorize::Action};

/// Stops managing a site without touching it. Its files, database, Unix user, PHP
/// pool and server block stay and go on working; Pressroom forgets them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site release blog.example")]
pub struct Release {
    /// The site's id (`wp_…`) or domain
    pub id: String,
}

impl Release {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::SiteRemove, fleet, caller).await?;
        let site = fleet.release_site(caller, site.id).await?;
        if printer.json() {
            printer.json_line(&site);
        }
        printer.note(&format!(
            "released `{}`: {} and the database `{}` are yours to look after now",
            site.domain, site.root, site.db_name
        ));
        Ok(Exit::Done)
    }
}
