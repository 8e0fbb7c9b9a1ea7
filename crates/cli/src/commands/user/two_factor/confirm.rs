//! `pressroom user two-factor confirm`

use super::tell;
use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{Caller, Fleet};

/// Has signing in ask for a code from now on, if the app shows the right one; prints ten
/// backup codes, each good once in place of one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user two-factor confirm ann@example.com 123456
  pressroom --json user two-factor confirm ann@example.com 123456")]
pub struct Confirm {
    /// The person's address
    pub email: String,
    /// The six digits that the app shows
    pub code: String,
}

impl Confirm {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let codes = fleet
            .confirm_second_factor(caller, &self.email, &self.code)
            .await?;
        tell(codes, printer);
        Ok(Exit::Done)
    }
}
