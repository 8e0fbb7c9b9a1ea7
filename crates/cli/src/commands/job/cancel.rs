//! `pressroom job cancel`

use super::parse_ref;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, jobs::JobRef};

/// Asks a job to stop; what it began is undone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom job cancel job_1x9qkd03mz7e
  pressroom job cancel 17 --reason 'wrong domain'")]
pub struct Cancel {
    /// The job's number, its id (`job_…`), or a site's id (`wp_…`) for its newest job
    #[arg(value_parser = parse_ref)]
    pub id: JobRef,
    /// Why, for whoever reads about it later
    #[arg(long, default_value = "")]
    pub reason: String,
}

impl Cancel {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let job = fleet.find_job(caller, &self.id).await?;
        let job = fleet.cancel_job(caller, job.id, &self.reason).await?;
        printer.one(&job, &job.state);
        if !job.is_final() {
            printer.note(&format!(
                "it was asked to stop; `pressroom job watch {}` shows when it has",
                job.public_id
            ));
        }
        Ok(Exit::Done)
    }
}
