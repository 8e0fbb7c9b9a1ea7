//! `pressroom run resume`

use super::{
    follow::{Signals, follow},
    parse_id,
};
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, runs::Resumed};

/// Follows a run that goes on: a worker takes one up by itself whose worker was lost. Of
/// one that is over, a new run does what was never begun. What was begun is begun again
/// only with `--again`: nobody but you knows whether a second time does harm.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom run resume run_1x9qkd03mz7e
  pressroom run resume run_1x9qkd03mz7e --again")]
pub struct Resume {
    /// The run, `run_…`
    #[arg(value_parser = parse_id)]
    pub id: String,
    /// Also where it was begun and not done: failed, timed out, stopped, interrupted
    #[arg(long)]
    pub again: bool,
}

impl Resume {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let signals = Signals::listen()?;
        let run = match fleet.resume_run(caller, &self.id, self.again).await? {
            Resumed::Open(run) => {
                printer.note(&format!("`{}` is not over", run.id));
                run
            }
            Resumed::Started(run) => {
                printer.note(&format!("`{}` does the rest of `{}`", run.id, self.id));
                run
            }
            Resumed::Nothing(run) => {
                let note = if run.is_success() {
                    "everything was done: there is nothing to resume"
                } else {
                    "everything was begun: `--again` begins again what was not done"
                };
                printer.note(note);
                return Ok(if run.is_success() {
                    Exit::Done
                } else {
                    Exit::Failed
                });
            }
        };
        follow(fleet, caller, &run, signals, printer).await
    }
}
