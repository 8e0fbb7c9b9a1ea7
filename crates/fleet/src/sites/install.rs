//! Installing a new WordPress.

mod job;
mod made;
mod payload;
mod start;
mod undo;
pub(crate) mod values;

pub(crate) use job::InstallJob;
pub use start::StartedInstall;
pub use values::InstallSite;
