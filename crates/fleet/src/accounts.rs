//! Accounts.

mod add;
mod list;
