//! `pressroom site maintenance`

use crate::{Exit, Failure, Printer, commands::place::Place};
use clap::{Args, ValueEnum};
use pressroom_fleet::{Caller, Fleet, runs::Operation};

/// Shows a site's visitors its maintenance page until it is ended. When Pressroom
/// does not run, it ends by itself within ten minutes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site maintenance on blog.example
  pressroom site maintenance off blog.example
  pressroom site maintenance off --on account:acme")]
pub struct Maintenance {
    /// Begin or end
    #[arg(value_enum)]
    pub state: State,
    /// Where
    #[command(flatten)]
    pub place: Place,
}

/// Whether visitors get the maintenance page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// They do
    On,
    /// They get the site
    Off,
}

impl Maintenance {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let enabled = self.state == State::On;
        let operation = Operation::Maintenance { enabled };
        self.place
            .carry_out(operation, fleet, caller, printer)
            .await
    }
}
