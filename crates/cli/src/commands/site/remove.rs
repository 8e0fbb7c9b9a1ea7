//! `pressroom site remove`

use super::find;
use crate::{Exit, Failure, Printer, progress};
use clap::Args;
use pressroom_base::{Kind, Timestamp};
use pressroom_fleet::{Caller, Fleet, authorize::Action, sites::RemoveSite};

/// Removes a site: WordPress' files with `wp-content`, its database and its database
/// user. Only what Pressroom made goes; foreign files stay.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site remove blog.example --backup --yes
  pressroom site remove wp_2f686f6d6 --keep-database --yes")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a command line"
)]
pub struct Remove {
    /// The site's id (`wp_…`) or domain
    pub id: String,
    /// Leave all files where they are
    #[arg(long)]
    pub keep_files: bool,
    /// Leave the database and its user
    #[arg(long)]
    pub keep_database: bool,
    /// Take a snapshot of all of it first; it stays when the site is gone
    #[arg(long)]
    pub backup: bool,
    /// Yes, remove it; there is no way back but a snapshot
    #[arg(long)]
    pub yes: bool,
}

impl Remove {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.id, Action::SiteRemove, fleet, caller).await?;
        if !self.yes {
            return Err(Failure::new(
                Kind::Invalid,
                format!(
                    "this would remove {} with its directory `{}` and its database `{}`",
                    site.url, site.root, site.db_name
                ),
            )
            .with_hint(
                "say `--yes` to do it, or `--keep-files`, `--keep-database` to leave a part",
            ));
        }
        let remove = RemoveSite {
            files: !self.keep_files,
            database: !self.keep_database,
            backup: self.backup,
        };
        let job = fleet.remove_site(caller, site.id, remove).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
