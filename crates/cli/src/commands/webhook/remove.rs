//! `pressroom webhook remove`

use super::{ENDPOINT, endpoint};
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{Caller, Fleet};

/// Tells a receiver nothing any more and forgets it, with what is on its way there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom webhook remove whe_0t2a41n5k9d3m7q8x6zc")]
pub struct Remove {
    /// The receiver
    #[arg(value_parser = endpoint)]
    pub id: ShortId,
}

impl Remove {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        fleet.remove_webhook_endpoint(caller, &self.id).await?;
        printer.note(&format!("`{ENDPOINT}{}` is told nothing any more", self.id));
        Ok(Exit::Done)
    }
}
