//! `pressroom domain remove`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Takes away a domain that no site uses.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom domain remove blog.example")]
pub struct Remove {
    /// The domain
    pub name: String,
}

impl Remove {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        fleet.remove_domain(caller, &self.name).await?;
        if printer.json() {
            printer.json_line(&serde_json::json!({"removed": self.name}));
        }
        printer.note(&format!("removed `{}`", self.name));
        Ok(Exit::Done)
    }
}
