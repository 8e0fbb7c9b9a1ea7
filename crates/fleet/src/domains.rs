//! Domains: the directories an account may install into.

mod add;
mod find;
mod list;
mod name;
mod remove;

pub use add::NewDomain;
pub(crate) use name::ascii_name;
