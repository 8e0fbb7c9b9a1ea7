//! `pressroom site clone`

use super::find;
use crate::{Exit, Failure, Printer, progress};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, authorize::Action, sites::CloneSite};

/// Copies a site to another place of its account: files, tables and settings, with a
/// database, credentials and salts of its own. The source is only read. The copy sends
/// no mail until the block `Pressroom no outgoing mail` is taken out of its
/// `wp-config.php`, and asks search engines to stay away.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site clone blog.example staging.example
  pressroom site clone wp_2f686f6d6 tests.example --path public_html/copy --index")]
pub struct CloneTo {
    /// The source's id (`wp_…`) or domain
    pub id: String,
    /// A domain of the same account
    pub domain: String,
    /// Directory below the domain's; `public_html` without
    #[arg(long)]
    pub path: Option<String>,
    /// Database to make; the account's prefix is put before it
    #[arg(long, value_name = "NAME")]
    pub db_name: Option<String>,
    /// Let search engines in as far as the source does
    #[arg(long)]
    pub index: bool,
}

impl CloneTo {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::SiteInstall, fleet, caller).await?;
        let new = CloneSite {
            domain: self.domain,
            path: self.path,
            db_name: self.db_name,
            noindex: !self.index,
        };
        let started = fleet.clone_site(caller, site.id, new).await?;
        let updates = fleet.watch_job(caller, started.job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
