//! People.

mod add;

pub use add::NewUser;
pub(crate) use add::{exists, view};
