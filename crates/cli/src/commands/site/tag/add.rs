//! `pressroom site tag add`

use super::show;
use crate::{Exit, Failure, Printer, commands::site::find};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, authorize::Action};

/// Gives a site tags, at most 50; those it has already stay. Prints all that it has then.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site tag add blog.example shop
  pressroom --json site tag add wp_2f686f6d6 shop vip eu-west")]
pub struct Add {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// Letters, digits, `-`, `_` and `.`, at most 50; case means nothing
    #[arg(required = true, value_name = "TAG")]
    pub tags: Vec<String>,
}

impl Add {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SiteTag, fleet, caller).await?;
        let tags = fleet.add_tags(caller, site.id, &self.tags).await?;
        show(&site, &tags, printer);
        Ok(Exit::Done)
    }
}
