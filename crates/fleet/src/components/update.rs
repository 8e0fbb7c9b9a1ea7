//! Updating components, one by one, each verified or taken back.

mod attempt;
mod item;
mod job;
mod news;
mod report;
mod start;

pub(crate) use job::UpdateJob;
pub use report::{ItemOutcome, Outcome, UpdateReport};
pub use start::UpdateComponents;
