//! `pressroom user reset`

use super::invite::{passed_on, passing};
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};
use serde_json::json;

/// Makes a link by which a person gives themselves another password. It is good once, for an
/// hour; it goes to them by mail where `mail.smtp` is configured, and is printed otherwise.
/// Until it is used everything stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user reset ann@example.com
  pressroom user reset ann@example.com --print
  pressroom --json user reset ann@example.com")]
pub struct Reset {
    /// The person's address
    pub email: String,
    /// Print the link, and send no mail
    #[arg(long)]
    pub print: bool,
}

impl Reset {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let issued = fleet
            .issue_password_reset(caller, &self.email, passing(self.print))
            .await?;
        let link = issued.link.as_ref().map(|link| link.expose().as_str());
        if printer.json() {
            printer.json_line(&json!({
                "user": issued.user,
                "expires_at": issued.expires_at,
                "mailed_to": link.is_none().then_some(&issued.user.email),
                "link": link,
            }));
        } else {
            passed_on(link, &issued.user.email, issued.expires_at, printer);
        }
        Ok(Exit::Done)
    }
}
