//! `pressroom site …`

mod add;
mod adopt;
mod clone_to;
mod export;
mod find;
mod import;
mod list;
mod maintenance;
mod move_to;
mod pause;
mod reinstall_core;
mod release;
mod remove;
mod search_replace;
mod show;
mod tag;
mod update_core;
mod user;
mod verify;

pub use add::{Add, Connection};
pub use adopt::Adopt;
pub(in crate::commands) use adopt::tell as tell_adopted;
pub use clone_to::CloneTo;
pub use export::Export;
pub(in crate::commands) use find::find;
pub use import::Import;
pub use list::List;
pub use maintenance::Maintenance;
pub use move_to::Move;
pub use pause::{Pause, Resume};
pub use reinstall_core::ReinstallCore;
pub use release::Release;
pub use remove::Remove;
pub use search_replace::SearchReplace;
pub use show::Show;
pub use tag::Tag;
pub use update_core::UpdateCore;
pub use user::User;
pub use verify::Verify;

use clap::Subcommand;

/// Running WordPress sites.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom site list
  pressroom site show blog.example
  pressroom site remove blog.example --yes")]
pub enum Site {
    /// Add a site by its address, and connect it where it is
    Add(Add),
    /// Take a WordPress under management that is there already
    Adopt(Adopt),
    /// List sites, all or those that match
    List(List),
    /// Show one site and what is installed on it
    Show(Show),
    /// Users of a site
    #[command(subcommand)]
    User(User),
    /// Words to select sites by
    #[command(subcommand)]
    Tag(Tag),
    /// Hold a site's files against the packages they came from
    Verify(Verify),
    /// Update WordPress and its tables
    UpdateCore(UpdateCore),
    /// Lay the files of WordPress down anew
    ReinstallCore(ReinstallCore),
    /// Show visitors the maintenance page, or the site again
    Maintenance(Maintenance),
    /// Replace a text in a site's tables, serialized values included
    SearchReplace(SearchReplace),
    /// Write a site's tables as SQL
    Export(Export),
    /// Put the tables of a dump in place of a site's
    Import(Import),
    /// Copy a site to another place of its account
    Clone(CloneTo),
    /// Move a site to another domain of its account
    Move(Move),
    /// Have nobody look at a site
    Pause(Pause),
    /// Have a site be looked at again
    Resume(Resume),
    /// Remove a site from this machine
    Remove(Remove),
    /// Stop managing a site without touching it
    Release(Release),
}
