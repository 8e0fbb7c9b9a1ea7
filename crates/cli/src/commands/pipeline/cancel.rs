//! `pressroom pipeline cancel`

use super::parse_id;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet};

/// Stops a safe update. What is settled stays, what is under way is taken back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom pipeline cancel pipe_0a1b2c3d4e5f6g7h8i9j
  pressroom pipeline cancel pipe_0a1b2c3d4e5f6g7h8i9j --reason 'not before the sale'")]
pub struct Cancel {
    /// Its id (`pipe_…`)
    #[arg(value_parser = parse_id)]
    pub id: ShortId,
    /// Why, for whoever looks later
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
        let found = fleet
            .cancel_pipeline(caller, &self.id, &self.reason)
            .await?;
        if printer.json() {
            printer.json_line(&found);
        } else if found.status.is_final() {
            printer.note(&format!("pipe_{} is {}", found.id, found.status));
        } else {
            printer.note(&format!("pipe_{} is asked to stop", found.id));
        }
        Ok(Exit::Done)
    }
}
