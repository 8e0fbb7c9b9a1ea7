//! The shapes of [`Outcome::data`](super::Outcome), one per action.
//!
//! They are what WordPress and its plugins said, not what was verified. Times are
//! Unix seconds unless a name says otherwise; dates in text are as the tables have
//! them, UTC.

mod access;
mod components;
mod site;

pub use access::*;
pub use components::*;
pub use site::*;
