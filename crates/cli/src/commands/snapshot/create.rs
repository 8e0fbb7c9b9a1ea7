//! `pressroom snapshot create`

use super::Kind;
use crate::{
    Exit, Failure, Printer,
    commands::{
        place::{Place, everywhere},
        site::find,
    },
    progress,
};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{
    Caller, Fleet,
    authorize::Action,
    runs::Operation,
    snapshots::{Contents, NewSnapshot},
};

/// Takes a snapshot: the tables as they are at one instant, then the files, or one of the
/// two. It counts only once it was read back from the archive.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom snapshot create blog.example
  pressroom snapshot create blog.example --kind database --label 'before the sale'
  pressroom snapshot create wp_2f686f6d6 --zip --retention-days 30
  pressroom snapshot create --on 'snapshot>24h env:production'")]
pub struct Create {
    /// Where
    #[command(flatten)]
    pub place: Place,
    /// All of it, only the tables, or only the files
    #[arg(long, alias = "only", value_name = "KIND", conflicts_with = "on")]
    pub kind: Option<Kind>,
    /// Pack it as a zip instead of `tar.zst`
    #[arg(long, conflicts_with = "on")]
    pub zip: bool,
    /// What to call it, for whoever finds it
    #[arg(long, alias = "note", default_value = "", conflicts_with = "on")]
    pub label: String,
    /// Days until it may be removed; without, it stays
    #[arg(long, alias = "keep-days", value_name = "DAYS", conflicts_with = "on")]
    pub retention_days: Option<u32>,
}

impl Create {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        if let Some(selector) = &self.place.on {
            return everywhere(selector, Operation::Snapshot, fleet, caller, printer).await;
        }
        let site = self.place.site.unwrap_or_default();
        let site = find(&site, Action::SnapshotCreate, fleet, caller).await?;
        let new = NewSnapshot {
            contents: self.kind.map_or(Contents::Full, Kind::contents),
            zip: self.zip,
            note: self.label,
            keep_days: self.retention_days,
            ..NewSnapshot::default()
        };
        let (snapshot, job) = fleet.create_snapshot(caller, site.id, new).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        let exit = progress::follow(updates, printer, Timestamp::now).await?;
        if !printer.json() {
            printer.line(&snapshot.id);
        }
        Ok(exit)
    }
}
