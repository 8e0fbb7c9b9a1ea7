//! People.

mod access;
mod add;
mod reset;
mod second_factor;
mod set_up;
mod show;
mod totp;

pub use add::NewUser;
pub(crate) use add::{Checked, exists, view};
pub use reset::{IssuedReset, NewPassword};
pub use second_factor::{BackupCodes, Proposal, SecondFactor};
pub use set_up::FirstUser;
pub use show::Person;
pub(crate) use totp::totp;
