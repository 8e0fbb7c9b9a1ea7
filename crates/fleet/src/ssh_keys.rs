//! Keys with which hosts are opened. The private halves never leave the store.

mod add;
mod list;
mod remove;
mod view;

pub use add::{KeySource, NewSshKey};
pub use pressroom_carrier::ssh::KeyKind;
pub use view::SshKey;
