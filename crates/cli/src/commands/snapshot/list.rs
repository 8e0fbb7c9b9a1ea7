//! `pressroom snapshot list`

use crate::{Exit, Failure, Printer, commands::site::find, table::Table};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, authorize::Action, snapshots::Snapshot};

/// Lists snapshots, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom snapshot list
  pressroom --json snapshot list blog.example")]
pub struct List {
    /// Only those of this site, by its id (`wp_…`) or domain
    pub site: Option<String>,
}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let of = match &self.site {
            Some(site) => Some(find(site, Action::SiteRead, fleet, caller).await?.id),
            None => None,
        };
        show(&fleet.list_snapshots(caller, of).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(snapshots: &[Snapshot], printer: &mut Printer) {
    let mut table = Table::new(&[
        "snapshot",
        "status",
        "kind",
        "trigger",
        "bytes",
        "format",
        "WordPress",
        "taken",
        "verified",
        "expires",
        "label",
    ]);
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, Timestamp::to_rfc3339);
    for snapshot in snapshots {
        table.row([
            snapshot.id.clone(),
            snapshot.state.clone(),
            snapshot.contents.clone(),
            snapshot.trigger.to_owned(),
            snapshot.size.to_string(),
            snapshot.format.clone(),
            snapshot.wordpress_version.clone(),
            snapshot.created_at.to_rfc3339(),
            time(snapshot.verified_at),
            time(snapshot.expires_at),
            snapshot
                .fault
                .clone()
                .unwrap_or_else(|| snapshot.note.clone()),
        ]);
    }
    printer.many(&snapshots, &table);
}
