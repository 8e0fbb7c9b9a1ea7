//! `pressroom user …`

mod add;
mod two_factor;

pub use add::Add;
pub(in crate::commands) use add::read_password;
pub use two_factor::TwoFactor;

use clap::Subcommand;

/// People who may sign in.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom user add ann@example.com --name Ann --password-stdin < password.txt
  pressroom user two-factor enable ann@example.com")]
pub enum User {
    /// Add a person; prints the id
    Add(Add),
    /// Codes that signing in takes besides the password
    #[command(subcommand)]
    TwoFactor(TwoFactor),
}
