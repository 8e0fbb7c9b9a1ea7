//! `pressroom run list`

use super::follow::summary;
use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Lists runs, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom run list
  pressroom --json run list --limit 5")]
pub struct List {
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub limit: u64,
}

impl List {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let runs = fleet.list_runs(caller, self.limit).await?;
        let mut table = Table::new(&["id", "state", "sites", "selector", "command", "begun", "by"])
            .cut_except(&[0, 1]);
        for run in &runs {
            table.row([
                run.id.clone(),
                run.state.clone(),
                summary(run),
                run.selector.clone(),
                run.operation.summary(),
                run.created_at.to_rfc3339(),
                run.actor.clone(),
            ]);
        }
        printer.many(&runs, &table);
        Ok(Exit::Done)
    }
}
