//! Snapshots: two objects each, an archive and the manifest that makes it exist.

mod archive;
mod blocks;
mod manifest;
mod place;
mod read;
mod receive;
mod remove;
mod streaming;
mod sweep;
mod verify;
mod whole;
mod zip;

pub use archive::Archive;
pub use blocks::BlockReader;
pub use manifest::{Manifest, Said};
pub(crate) use place::account_key;
pub use place::{Format, Place, SnapshotName};
pub use read::{Listed, Page};
pub use receive::Received;
pub use remove::Removed;
pub use streaming::Streaming;
pub use sweep::Sweep;
pub use verify::Verification;
