//! Removing a site from this machine.

mod job;
mod start;

pub(crate) use job::RemoveJob;
pub use start::{RemoveSite, RemovedSite};
