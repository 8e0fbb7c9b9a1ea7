//! Making sites, entering them, and letting them go.

mod given_up;
mod install;
mod login;
mod moving;
mod release;
mod remove;
mod serve;
mod take_away;

pub(crate) use install::{InstallJob, values};
pub use install::{InstallSite, StartedInstall};
pub(crate) use login::LoginJob;
pub use login::{IssueLogin, LoginLink};
pub use moving::MoveSite;
pub(crate) use moving::{KIND as MOVE, MoveJob, touches as moves_touch};
pub(crate) use remove::RemoveJob;
pub use remove::RemoveSite;
