//! What keeps intruders from a site: looked at as it is served, and switched by
//! measures of one shape — seen before, applied, verified, taken back.

mod bench;
mod constants;
mod debug;
mod file_editing;
mod file_protection;
mod hide_login;
mod job;
mod look;
mod report;
mod served;
mod set;
mod slug;

pub(crate) use job::SecurityJob;
pub use report::{DebugLog, FileCheck, HideLogin, SecurityChanged, SiteSecurity};
pub use set::{Measure, SetSecurity};
