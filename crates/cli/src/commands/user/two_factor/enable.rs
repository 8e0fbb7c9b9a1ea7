//! `pressroom user two-factor enable`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};
use serde_json::json;

/// Makes a secret to put into an app. Signing in asks for a code once one was confirmed
/// with `confirm`; asked again before that, another secret takes its place.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user two-factor enable ann@example.com
  pressroom --json user two-factor enable ann@example.com")]
pub struct Enable {
    /// The person's address
    pub email: String,
}

impl Enable {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let proposal = fleet.propose_second_factor(caller, &self.email).await?;
        let (secret, uri) = (proposal.secret.expose(), proposal.uri.expose());
        if printer.json() {
            printer.json_line(&json!({ "secret": secret, "uri": uri }));
        } else {
            printer.line(secret);
            printer.line(uri);
        }
        printer.note(&format!(
            "put the secret or the address into an app, then give the code that it shows to \
             `pressroom user two-factor confirm {} CODE`",
            self.email
        ));
        Ok(Exit::Done)
    }
}
