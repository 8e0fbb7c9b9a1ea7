//! `pressroom site …`

mod export;
mod find;
mod import;
mod list;
mod move_to;
mod release;
mod remove;
mod search_replace;
mod show;
mod verify;

pub use export::Export;
pub(in crate::commands) use find::find;
pub use import::Import;
pub use list::List;
pub use move_to::Move;
pub use release::Release;
pub use remove::Remove;
pub use search_replace::SearchReplace;
pub use show::Show;
pub use verify::Verify;

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
    /// Hold a site's files against the packages they came from
    Verify(Verify),
    /// Replace a text in a site's tables, serialized values included
    SearchReplace(SearchReplace),
    /// Write a site's tables as SQL
    Export(Export),
    /// Put the tables of a dump in place of a site's
    Import(Import),
    /// Move a site to another domain of its account
    Move(Move),
    /// Remove a site from this machine
    Remove(Remove),
    /// Stop managing a site without touching it
    Release(Release),
}
