//! `pressroom user …`

mod add;

pub use add::Add;
pub(in crate::commands) use add::read_password;

use clap::Subcommand;

/// People who may sign in.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom user add ann@example.com --name Ann --password-stdin < password.txt")]
pub enum User {
    /// Add a person; prints the id
    Add(Add),
}
