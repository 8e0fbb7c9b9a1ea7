//! `pressroom snapshot restore`

use super::Part;
use crate::{Exit, Failure, Printer, commands::site::find, progress};
use clap::Args;
use pressroom_base::{Kind, Timestamp};
use pressroom_fleet::{Caller, Fleet, authorize::Action, snapshots::RestoreSnapshot};

/// Puts a site back as it was when a snapshot was taken: its files and its tables, or one
/// of the two. A snapshot of what is replaced is taken first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom snapshot restore blog.example k3v9q2x7m1p0 --yes
  pressroom snapshot restore blog.example k3v9q2x7m1p0 --only files --yes
  pressroom snapshot restore shop.example k3v9q2x7m1p0 --force --yes")]
pub struct Restore {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// The snapshot
    pub snapshot: String,
    /// Do not take a snapshot of the present state first
    #[arg(long)]
    pub forget_present: bool,
    /// Only the tables, or only the files
    #[arg(long, value_name = "PART")]
    pub only: Option<Part>,
    /// Also a snapshot of another site of the same account; the site keeps its
    /// `wp-config.php` and its address
    #[arg(long)]
    pub force: bool,
    /// Yes, replace what the site is now
    #[arg(long)]
    pub yes: bool,
}

impl Restore {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let site = find(&self.site, Action::SnapshotRestore, fleet, caller).await?;
        if !self.yes {
            let (url, snapshot) = (&site.url, &self.snapshot);
            let text = match self.only.map(Part::name) {
                Some(part) => format!(
                    "this would replace the {part} of {url} by those of snapshot `{snapshot}`"
                ),
                None => format!(
                    "this would replace what {url} is now by what snapshot `{snapshot}` holds"
                ),
            };
            return Err(Failure::new(Kind::Invalid, text).with_hint("say `--yes` to do it"));
        }
        let restore = RestoreSnapshot {
            snapshot: self.snapshot,
            keep_present: !self.forget_present,
            part: self.only.map(Part::contents),
            force: self.force,
        };
        let job = fleet.restore_snapshot(caller, site.id, restore).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
