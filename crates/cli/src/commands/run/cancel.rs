//! `pressroom run cancel`

use super::parse_id;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Stops a run: what waits never begins, what runs is stopped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom run cancel run_1x9qkd03mz7e
  pressroom run cancel run_1x9qkd03mz7e --reason 'the wrong sites'")]
pub struct Cancel {
    /// The run, `run_…`
    #[arg(value_parser = parse_id)]
    pub id: String,
    /// Why, for whoever reads about it later
    #[arg(long, default_value = "")]
    pub reason: String,
}

impl Cancel {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let run = fleet.cancel_run(caller, &self.id, &self.reason).await?;
        printer.one(&run, &run.state);
        if !run.is_over() {
            printer.note(&format!(
                "it was asked to stop; `pressroom run resume {}` follows it to its end",
                run.id
            ));
        }
        Ok(Exit::Done)
    }
}
