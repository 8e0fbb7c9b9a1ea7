//! Jobs as people see them. What jobs do lives beside the use case that starts them.

mod cancel;
mod enqueue;
mod failure;
mod find;
mod kinds;
mod list;
mod view;
mod watch;

pub(crate) use enqueue::Enqueue;
pub use find::JobRef;
pub use list::JobFilter;
