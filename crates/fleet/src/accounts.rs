//! Accounts.

mod add;
mod find;
mod list;
mod memberships;

pub(crate) use find::{name_of, named, names};
pub use memberships::Membership;
