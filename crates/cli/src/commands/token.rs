//! `pressroom token …`

mod add;
mod list;
mod revoke;

pub use add::{Add, Kind};
pub use list::List;
pub use revoke::Revoke;

use clap::Subcommand;

/// Credentials of programs.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom token add --user ann@example.com --kind panel
  pressroom token list
  pressroom token revoke 3")]
pub enum Token {
    /// Issue a token; prints the secret, alone, once
    Add(Add),
    /// List tokens, without their secrets
    List(List),
    /// Make a token open nothing any more
    Revoke(Revoke),
}
