//! `pressroom token …`

mod add;

pub use add::{Add, Kind};

use clap::Subcommand;

/// Credentials of programs.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom token add --user ann@example.com --kind panel")]
pub enum Token {
    /// Issue a token; prints the secret, alone, once
    Add(Add),
}
