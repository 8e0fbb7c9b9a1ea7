//! Snapshots: a whole site in one archive, kept, verified by reading it back, and
//! restored.

pub(crate) mod asides;
mod create;
mod deliver;
mod exchange;
mod fetch;
mod keep;
mod keep_once;
mod link;
mod other_site;
mod present;
mod restore;
mod room;
mod steps;
mod tables;
mod take;
mod undo;
mod verify;
mod view;

pub(crate) use asides::{ASIDE, SweepJob, let_go};
pub use create::NewSnapshot;
pub use deliver::{Delivery, LinkedSnapshot};
pub(crate) use keep_once::{drop_unfinished, keep_once, kept};
pub use link::{LINK_PATH, LinkSnapshot, SnapshotLink};
pub use pressroom_wordpress::snapshot::Contents;
pub(crate) use restore::RestoreJob;
pub use restore::{RestoreSnapshot, Restored};
pub(crate) use tables::restore_tables;
pub(crate) use take::{SnapshotJob, give_up, keep_present};
pub(crate) use verify::VerifyJob;
pub use view::Snapshot;
