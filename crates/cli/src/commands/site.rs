//! `pressroom site …`

mod find;
mod list;
mod release;
mod remove;
mod show;

use find::find;
pub use list::List;
pub use release::Release;
pub use remove::Remove;
pub use show::Show;

use clap::Subcommand;

/// Running WordPress sites.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom site list
  pressroom site show blog.example
  pressroom site remove blog.example --yes")]
pub enum Site {
    /// List sites, all or those that match
    List(List),
    /// Show one site and what is installed on it
    Show(Show),
    /// Remove a site from this machine
    Remove(Remove),
    /// Stop managing a site without touching it
    Release(Release),
}
