//! `pressroom pipeline approve`

use super::{follow, parse_id};
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet, pipelines::Approval};

/// Says yes to updates that were tried, and follows them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom pipeline approve pipe_0a1b2c3d4e5f6g7h8i9j
  pressroom pipeline approve pipe_0a1b2c3d4e5f6g7h8i9j --only akismet --only core --no-wait")]
pub struct Approve {
    /// Its id (`pipe_…`)
    #[arg(value_parser = parse_id)]
    pub id: ShortId,
    /// What is written to it
    #[arg(long)]
    pub note: Option<String>,
    /// Only these targets, by their directories; `core` for WordPress
    #[arg(long, value_name = "SLUG")]
    pub only: Vec<String>,
    /// Do not wait for the updates
    #[arg(long)]
    pub no_wait: bool,
}

impl Approve {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let approval = Approval {
            note: self.note,
            targets: (!self.only.is_empty()).then_some(self.only),
            read: None,
        };
        fleet.approve_pipeline(caller, &self.id, approval).await?;
        if self.no_wait {
            printer.note(&format!("pipe_{} is approved", self.id));
            return Ok(Exit::Done);
        }
        follow(fleet, caller, vec![self.id], printer).await
    }
}
