//! `pressroom job list`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, jobs::JobFilter, views::Job};

/// Lists jobs, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom job list
  pressroom job list --state running
  pressroom --json job list --limit 10")]
pub struct List {
    /// Only jobs in this state
    #[arg(long, value_parser = ["queued", "running", "completed", "failed", "cancelled", "dead"])]
    pub state: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub limit: u64,
}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let filter = JobFilter {
            environment: None,
            state: self.state,
            limit: self.limit,
        };
        show(&fleet.list_jobs(caller, &filter).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(jobs: &[Job], printer: &mut Printer) {
    let mut table = Table::new(&["id", "kind", "site", "state", "%", "asked for", "message"]);
    for job in jobs {
        let message = match &job.error {
            Some(error) => &error.message,
            None => &job.message,
        };
        table.row([
            job.public_id.clone(),
            job.kind.clone(),
            job.domain.clone().unwrap_or_default(),
            job.state.clone(),
            job.progress.to_string(),
            job.created_at.to_rfc3339(),
            message.clone(),
        ]);
    }
    printer.many(&jobs, &table);
}
