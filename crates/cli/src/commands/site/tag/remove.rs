//! `pressroom site tag remove`

use super::show;
use crate::{Exit, Failure, Printer, commands::site::find};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, authorize::Action};

/// Takes tags from a site; where it has not got one of them, it keeps them all. Prints
/// those it has left.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site tag remove blog.example shop
  pressroom site tag remove wp_2f686f6d6 vip eu-west")]
pub struct Remove {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// The tags
    #[arg(required = true, value_name = "TAG")]
    pub tags: Vec<String>,
}

impl Remove {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SiteTag, fleet, caller).await?;
        let tags = fleet.remove_tags(caller, site.id, &self.tags).await?;
        show(&site, &tags, printer);
        Ok(Exit::Done)
    }
}
