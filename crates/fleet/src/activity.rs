//! What happened, as people of an account see it.

mod list;

pub use list::{ActivityQuery, Line};
