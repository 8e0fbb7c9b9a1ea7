//! `pressroom snapshot …`

mod create;
mod export;
mod link;
mod list;
mod part;
mod remove;
mod restore;
mod upload;
mod verify;

pub use create::Create;
pub use export::Export;
pub use link::Link;
pub use list::List;
pub use part::{Kind, Part};
pub use remove::Remove;
pub use restore::Restore;
pub use upload::Upload;
pub use verify::Verify;

use crate::{Exit, Failure, Printer};
use clap::Subcommand;
use pressroom_fleet::{Caller, Fleet};

/// Whole sites, each in one archive.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom snapshot create blog.example --label 'before the relaunch'
  pressroom snapshot list blog.example
  pressroom snapshot restore blog.example k3v9q2x7m1p0 --yes")]
pub enum Snapshot {
    /// Take a snapshot of a site, and read it back
    Create(Create),
    /// List snapshots, newest first
    List(List),
    /// Read a snapshot back and compare every file in it
    Verify(Verify),
    /// Put a site back as it was
    Restore(Restore),
    /// Keep an archive that is in a file as a snapshot of a site
    Upload(Upload),
    /// Write a snapshot to a file
    Export(Export),
    /// Make an address to download a snapshot from
    Link(Link),
    /// Remove a snapshot
    Remove(Remove),
}

impl Snapshot {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Create(create) => create.run(fleet, caller, printer).await,
            Self::List(list) => list.run(fleet, caller, printer).await,
            Self::Verify(verify) => verify.run(fleet, caller, printer).await,
            Self::Restore(restore) => restore.run(fleet, caller, printer).await,
            Self::Upload(upload) => upload.run(fleet, caller, printer).await,
            Self::Export(export) => export.run(fleet, caller, printer).await,
            Self::Link(link) => link.run(fleet, caller, printer).await,
            Self::Remove(remove) => remove.run(fleet, caller, printer).await,
        }
    }
}
