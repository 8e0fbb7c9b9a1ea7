//! Updating components, one by one, each verified or taken back.

mod item;
mod job;
mod report;
mod start;

pub(crate) use job::UpdateJob;
pub use report::{ItemOutcome, Outcome, UpdateReport};
pub use start::UpdateComponents;
