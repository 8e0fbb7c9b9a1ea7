//! `pressroom user password`

use super::read_password;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Gives a person another password. Whatever they had signed in to ends; tokens that were
/// made for programs go on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user password ann@example.com --password-stdin < password.txt
  printf '%s' \"$PASSWORD\" | pressroom user password ann@example.com --password-stdin")]
pub struct Password {
    /// The person's address
    pub email: String,
    /// Read the password from standard input, up to the first line break
    #[arg(long, required = true)]
    pub password_stdin: bool,
}

impl Password {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let password = read_password(std::io::stdin().lock())?;
        let user = fleet
            .set_user_password(caller, &self.email, password)
            .await?;
        if printer.json() {
            printer.json_line(&user);
        }
        printer.note("signing in takes the new password; whatever was signed in has ended");
        Ok(Exit::Done)
    }
}
