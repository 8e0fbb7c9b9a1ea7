//! `pressroom config …`

mod show;

pub use show::Show;

use clap::Subcommand;

/// The configuration that holds.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom config show")]
pub enum ConfigCommand {
    /// Print every value and where it was said; passwords are hidden
    Show(Show),
}
