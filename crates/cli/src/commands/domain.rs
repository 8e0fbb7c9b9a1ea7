//! `pressroom domain …`

mod add;
mod list;
mod remove;

pub use add::Add;
pub use list::List;
pub use remove::Remove;

use clap::Subcommand;

/// Domains, the directories an account may install into.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom domain add blog.example --account agency
  pressroom domain list")]
pub enum Domain {
    /// Give a domain to an account; prints the id
    Add(Add),
    /// List domains
    List(List),
    /// Take away a domain that no site uses
    Remove(Remove),
}
