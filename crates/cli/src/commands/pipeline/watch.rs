//! `pressroom pipeline watch`

use super::{follow, parse_id};
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet};

/// Follows safe updates until they are over, or wait for somebody. Ctrl-C ends the watching
/// alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom pipeline watch pipe_0a1b2c3d4e5f6g7h8i9j
  pressroom --json pipeline watch pipe_0a1b2c3d4e5f6g7h8i9j")]
pub struct Watch {
    /// Their ids (`pipe_…`)
    #[arg(value_parser = parse_id, required = true)]
    pub ids: Vec<ShortId>,
}

impl Watch {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        follow(fleet, caller, self.ids, printer).await
    }
}
