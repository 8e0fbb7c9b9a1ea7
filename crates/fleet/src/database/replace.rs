//! Texts replaced in the tables, serialized values included.

mod job;
mod start;

pub(crate) use job::ReplaceJob;
pub use pressroom_wordpress::database::replace::{ObjectRule, ReplaceReport};
pub use start::{Replaced, SearchReplace};
