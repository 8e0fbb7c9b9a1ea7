//! Installing, activating, deactivating and deleting components, one by one.

mod activity;
mod bench;
mod delete;
mod install;
mod job;
mod put_out;
mod report;
mod start;
mod theme;

pub(crate) use job::ChangeJob;
pub use report::{ChangeFailure, ChangeOutcome, ChangeReport};
pub use start::{Change, ChangeComponents};
