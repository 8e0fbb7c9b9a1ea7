//! Installing a new WordPress.

mod job;
pub(super) mod made;
mod payload;
mod start;
mod undo;
pub(crate) mod values;

pub(crate) use job::InstallJob;
pub(super) use payload::NewPlace;
pub use start::StartedInstall;
pub(super) use start::site_url;
pub(super) use undo::undo;
pub use values::InstallSite;
