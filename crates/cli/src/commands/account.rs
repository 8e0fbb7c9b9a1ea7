//! `pressroom account …`

mod add;
mod list;

pub use add::Add;
pub use list::List;

use clap::Subcommand;

/// Accounts, which own sites.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom account add agency --owner ann@example.com
  pressroom account list")]
pub enum Account {
    /// Add an account; prints the id
    Add(Add),
    /// List accounts
    List(List),
}
