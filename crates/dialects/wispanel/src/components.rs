//! What plugins and themes have in common: who is named, what is done, what is answered.

mod change;
mod noun;
mod update;

pub use change::change;
pub use noun::{Noun, PLUGIN, THEME, Wanted};
pub use update::update;
