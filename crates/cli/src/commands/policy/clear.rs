//! `pressroom policy clear`

use super::Whose;
use crate::{Exit, Failure, Printer, table::plain};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};
use serde_json::json;

/// Says nothing any more of the updates of sites, or of an account: what is wider applies.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom policy clear site:shop.example
  pressroom policy clear --account acme")]
pub struct Clear {
    /// Whose
    #[command(flatten)]
    pub whose: Whose,
}

impl Clear {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let meant = self.whose.find(fleet, caller, printer).await?;
        if meant.is_empty() {
            return Ok(Exit::NotFound);
        }
        for one in meant {
            let cleared = fleet.clear_update_policy(caller, one.target).await?;
            let name = plain(&one.name);
            let text = if cleared {
                format!("{name}: its policy is cleared")
            } else {
                format!("{name}: it had none")
            };
            printer.one(&json!({ "of": one.name, "cleared": cleared }), &text);
        }
        Ok(Exit::Done)
    }
}
