//! Throw-away clones of a site, in which an update is tried before the site gets it.
//!
//! A clone lives in the site's home and outside its web root, keeps the site's address, and
//! is reached through [`visit`] alone. Its files are the site's by reflink or by copy, never
//! by a hard link; its tables are copied by the server under a prefix of their own. What its
//! code could reach out with is in [`crate::cage`], and what a host cannot keep from
//! happening is told by [`Rehearsal::unblocked`]. Every other operation works on a clone by
//! its directory, [`Rehearsal::root`].
//!
//! What is made is in the site's journal before it is made, so that the next recovery
//! ([`crate::recovery::recover`]) finds and removes what a dead session left.

mod config;
mod log;
mod look;
mod make;
mod options;
mod remove;
mod tables;
mod tree;

pub use crate::cage::{
    attempts::{Attempt, AttemptKind},
    visit::{Answer, MAX_BODY, Visit},
};
pub use log::{PhpError, RehearsalLog, log};
pub use look::visit;
pub use make::make;
pub use options::{Rehearsal, RehearsalOptions};
pub use remove::drop_rehearsal;
pub(crate) use remove::remove;
