//! Snapshots: a whole site in one archive, kept, verified by reading it back, and
//! restored; or an archive that somebody sent.

pub(crate) mod asides;
mod ask;
mod create;
mod deliver;
mod discard;
mod exchange;
mod expire;
mod fetch;
mod found;
mod keep;
mod keep_once;
mod link;
mod of_site;
mod other_site;
mod present;
mod restore;
mod room;
mod steps;
mod tables;
mod take;
mod tell;
mod undo;
mod upload;
mod verify;
mod view;

pub(crate) use asides::{ASIDE, SweepJob, let_go};
pub use ask::{AskSnapshot, Mode};
pub use create::NewSnapshot;
pub use deliver::{Delivery, LinkedSnapshot};
pub(crate) use keep_once::{drop_unfinished, keep_once, kept};
pub use link::{LINK_PATH, LinkSnapshot, SnapshotLink};
pub use of_site::SnapshotQuery;
pub use pressroom_store::{SnapshotCause, SnapshotOrigin, SnapshotState};
pub use pressroom_wordpress::snapshot::Contents;
pub(crate) use restore::RestoreJob;
pub use restore::{RestoreSnapshot, Restored};
pub(crate) use tables::restore_tables;
pub(crate) use take::{SnapshotJob, give_up, keep_present};
pub use upload::Sending;
pub(crate) use verify::VerifyJob;
pub use view::{Held, Snapshot};
