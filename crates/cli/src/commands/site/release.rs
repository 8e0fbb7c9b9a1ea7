//! `pressroom site release`

use super::find;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, authorize::Action};

/// Stops managing a site without touching it. Its files, database, Unix user, PHP
/// pool and server block stay and go on working; Pressroom forgets them. Of a site that is
/// not connected, its address is all that is forgotten.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site release blog.example")]
pub struct Release {
    /// The site's id, domain or, of one that is not connected, address
    pub id: String,
}

impl Release {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        if let Ok(site) = fleet.site_named(caller, Action::SiteRemove, &self.id).await
            && site.environment_id.is_none()
        {
            fleet.forget_site(caller, site.id).await?;
            if printer.json() {
                printer.json_line(&site);
            }
            printer.note(&format!("forgot {}", site.url));
            return Ok(Exit::Done);
        }
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
