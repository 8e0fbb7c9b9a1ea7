//! `pressroom site …`

mod list;
mod show;

pub use list::List;
pub use show::Show;

use clap::Subcommand;

/// Running WordPress sites.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom site list
  pressroom site show blog.example")]
pub enum Site {
    /// List sites, all or those that match
    List(List),
    /// Show one site and what is installed on it
    Show(Show),
}
