//! A site moves to another domain of its account: its address changes, its files,
//! Unix user and database stay whole.

mod back;
mod config;
mod ground;
mod job;
mod payload;
mod records;
mod start;
mod tables;
mod underway;

pub(crate) use job::MoveJob;
pub(crate) use payload::{KIND, touches};
pub use start::MoveSite;
