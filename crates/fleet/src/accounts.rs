//! Accounts.

mod add;
mod find;
mod list;

pub(crate) use find::{name_of, named, names};
