//! `pressroom snapshot verify`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Reads a snapshot back from the archive: its size and hash, then every file in it
/// against its manifest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom snapshot verify k3v9q2x7m1p0")]
pub struct Verify {
    /// The snapshot
    pub snapshot: String,
}

impl Verify {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let snapshot = fleet.verify_snapshot(caller, &self.snapshot).await?;
        if printer.json() {
            printer.json_line(&snapshot);
        }
        printer.note(&format!(
            "snapshot `{}` is whole: {} bytes read back and compared",
            snapshot.id, snapshot.size
        ));
        Ok(Exit::Done)
    }
}
