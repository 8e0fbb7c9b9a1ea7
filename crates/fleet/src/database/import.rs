//! SQL put in place of a site's tables.

mod job;
mod start;

pub(crate) use job::ImportJob;
pub use start::ImportDatabase;
