//! `pressroom snapshot restore`

use crate::{Exit, Failure, Printer, commands::site::find, progress};
use clap::Args;
use pressroom_base::{Kind, Timestamp};
use pressroom_fleet::{Caller, Fleet, authorize::Action, snapshots::RestoreSnapshot};

/// Puts a site back as it was when a snapshot was taken: its files and its tables. A
/// snapshot of the site as it is now is taken first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom snapshot restore blog.example k3v9q2x7m1p0 --yes")]
pub struct Restore {
    /// The site's id (`wp_…`) or domain
    pub site: String,
    /// The snapshot
    pub snapshot: String,
    /// Do not take a snapshot of the present state first
    #[arg(long)]
    pub forget_present: bool,
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
            return Err(Failure::new(
                Kind::Invalid,
                format!(
                    "this would replace the files and tables of {} by those of snapshot `{}`",
                    site.url, self.snapshot
                ),
            )
            .with_hint("say `--yes` to do it"));
        }
        let restore = RestoreSnapshot {
            snapshot: self.snapshot,
            keep_present: !self.forget_present,
        };
        let job = fleet.restore_snapshot(caller, site.id, restore).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
