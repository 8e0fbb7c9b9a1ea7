//! A site copied into another place of its account: files, tables and settings, with
//! credentials and salts of its own. The source is only read.

mod address;
mod copy;
mod fit;
mod job;
mod payload;
mod settle;
mod start;
mod undo;

pub(crate) use job::CloneJob;
pub use payload::Cloned;
pub(crate) use payload::{KIND, reads};
pub use start::{CloneSite, StartedClone};
