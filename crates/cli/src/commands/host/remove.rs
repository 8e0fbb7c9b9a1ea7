//! `pressroom host remove`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};
use serde_json::json;

/// Removes our agent from a host, and the host from the records. Sites there stay as they
/// are; ones that Pressroom manages must be released before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom host remove web1.example
  pressroom host remove web1.example --unreached")]
pub struct Remove {
    /// The host's label, name or number
    pub host: String,
    /// Forget it also when it cannot be reached; what is left there is told
    #[arg(long)]
    pub unreached: bool,
}

impl Remove {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let left = fleet
            .remove_host(caller, &self.host, self.unreached)
            .await?;
        if printer.json() {
            printer.json_line(&json!({ "removed": self.host, "unreached": left }));
        }
        match left {
            None => printer.note(&format!(
                "`{}` is forgotten, with nothing of ours left there",
                self.host
            )),
            Some(why) => printer.note(&format!(
                "`{}` is forgotten; `~/.pressroom` of the login may be left there: {why}",
                self.host
            )),
        }
        Ok(Exit::Done)
    }
}
