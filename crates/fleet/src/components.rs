//! Plugins and themes.

mod change;
mod offers;
mod stage;
mod tree;
mod update;

pub(crate) use change::ChangeJob;
pub use change::{Change, ChangeComponents, ChangeFailure, ChangeOutcome, ChangeReport};
pub(crate) use offers::{Newer, on_disk, source};
pub(crate) use stage::stage_component;
use tree::package_tree;
pub(crate) use update::UpdateJob;
pub use update::{ItemOutcome, Outcome, UpdateComponents, UpdateReport};
