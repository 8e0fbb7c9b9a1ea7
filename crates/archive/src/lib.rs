//! The archive: an object store (a directory, or a service that speaks S3), the
//! snapshots kept in it, signed links to them, what expires and what is too much.
//!
//! A snapshot is two objects: the archive as the site packed it, and beside it a
//! manifest that is written last. Nothing exists that has no manifest, so a writer
//! may die anywhere. This crate streams: nothing as large as a site is ever whole in
//! memory. It knows no site, no row and no job, and it never looks into an archive
//! deeper than is needed to say that it is whole.
//!
//! Start reading at [`Archive`] (snapshots) and [`Objects`] (the store beneath).
//!
//! ```no_run
//! # async fn example(bytes: impl tokio::io::AsyncRead + Unpin + Send) -> pressroom_archive::Result<()> {
//! use pressroom_archive::{Archive, Format, Objects, Place, Said, SnapshotName, Streaming};
//! use pressroom_base::id::{AccountId, EnvironmentId};
//! let archive = Archive::new(Objects::directory("/var/lib/pressroom/archive")?);
//! let place = Place {
//!     account: AccountId::new(1),
//!     environment: EnvironmentId::new(7),
//!     name: SnapshotName::parse("k3v9q2")?,
//! };
//! let received = archive.receive(&place, Format::TarZst, bytes, &Streaming::default()).await?;
//! let manifest = received.commit(Said::default()).await?;
//! assert!(archive.verify(&place, &Streaming::default()).await?.is_sound());
//! # drop(manifest); Ok(()) }
//! ```

mod error;
mod objects;
mod snapshot;

pub mod link;
pub mod quota;
pub mod retention;

pub use error::{Error, Result};
pub use objects::{Key, ObjectInfo, ObjectReader, Objects, S3Config, Stored, Unfinished, Upload};
pub use snapshot::{
    Archive, BlockReader, Format, Listed, Manifest, Page, Place, Received, Removed, Said,
    SnapshotName, Streaming, Sweep, Verification,
};
