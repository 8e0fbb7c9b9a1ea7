//! Snapshots: a whole site in one archive, kept, verified by reading it back, and
//! restored.

mod create;
mod keep;
mod restore;
mod take;
mod undo;
mod verify;
mod view;

pub use create::NewSnapshot;
pub(crate) use restore::RestoreJob;
pub use restore::RestoreSnapshot;
pub(crate) use take::{SnapshotJob, give_up, keep_present};
pub use view::Snapshot;
