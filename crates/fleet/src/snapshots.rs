//! Snapshots: a whole site in one archive, kept, verified by reading it back, and
//! restored.

mod asides;
mod create;
mod deliver;
mod fetch;
mod keep;
mod link;
mod restore;
mod room;
mod steps;
mod take;
mod undo;
mod verify;
mod view;

pub(crate) use asides::{ASIDE, SweepJob};
pub use create::NewSnapshot;
pub use deliver::{Delivery, LinkedSnapshot};
pub use link::{LINK_PATH, LinkSnapshot, SnapshotLink};
pub(crate) use restore::RestoreJob;
pub use restore::RestoreSnapshot;
pub(crate) use take::{SnapshotJob, give_up, keep_present};
pub(crate) use verify::VerifyJob;
pub use view::Snapshot;
