//! Making sites, and entering them.

mod install;
mod login;

pub(crate) use install::{InstallJob, values};
pub use install::{InstallSite, StartedInstall};
pub(crate) use login::LoginJob;
pub use login::{IssueLogin, LoginLink};
