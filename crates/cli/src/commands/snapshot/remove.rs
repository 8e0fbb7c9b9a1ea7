//! `pressroom snapshot remove`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::Kind;
use pressroom_fleet::{Caller, Fleet};

/// Removes a snapshot from the archive for good.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom snapshot remove k3v9q2x7m1p0 --yes")]
pub struct Remove {
    /// The snapshot
    pub snapshot: String,
    /// Yes, remove it; there is no way back
    #[arg(long)]
    pub yes: bool,
}

impl Remove {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        if !self.yes {
            return Err(Failure::new(
                Kind::Invalid,
                format!("this would remove snapshot `{}` for good", self.snapshot),
            )
            .with_hint("say `--yes` to do it"));
        }
        fleet.remove_snapshot(caller, &self.snapshot).await?;
        if printer.json() {
            printer.json_line(&serde_json::json!({"removed": self.snapshot}));
        }
        printer.note(&format!("removed `{}`", self.snapshot));
        Ok(Exit::Done)
    }
}
