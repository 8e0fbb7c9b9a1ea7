//! `pressroom job watch`

use super::parse_ref;
use crate::{Exit, Failure, Printer, progress};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, jobs::JobRef};

/// Follows a job until it ends, and ends as it did.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom job watch job_1x9qkd03mz7e
  pressroom --json job watch 17")]
pub struct Watch {
    /// The job's number, its id (`job_…`), or a site's id (`wp_…`) for its newest job
    #[arg(value_parser = parse_ref)]
    pub id: JobRef,
}

impl Watch {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let job = fleet.find_job(caller, &self.id).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}
