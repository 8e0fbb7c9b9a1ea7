//! WordPress itself: updated, and laid down anew in the version it has.
//!
//! Tables are kept in a snapshot and the old files beside the site until the new
//! version was seen to serve. Taking back runs no PHP.

mod attempt;
mod back;
mod job;
mod report;
mod stage;
mod start;
mod tables;

pub(crate) use job::CoreJob;
pub use report::{CoreOutcome, CoreReport};
pub(crate) use stage::stage_core;
pub use start::UpdateCore;
pub(crate) use tables::upgrade_tables;
