//! Plugins and themes.

mod offers;
mod update;

pub(crate) use offers::Newer;
pub(crate) use update::UpdateJob;
pub use update::{ItemOutcome, Outcome, UpdateComponents, UpdateReport};
