//! Making sites, entering them, and letting them go.

mod address;
mod adopt;
mod clone;
mod connect;
mod given_up;
mod install;
mod known;
mod login;
mod moving;
mod release;
mod remove;
mod serve;
mod ssh_place;
mod take_away;
mod users;

pub use adopt::{AdoptSite, Adopted};
pub(crate) use clone::{CloneJob, KIND as CLONE, reads as clone_reads};
pub use clone::{CloneSite, Cloned, StartedClone};
pub(crate) use connect::ConnectJob;
pub(crate) use install::{InstallJob, values};
pub use install::{InstallSite, StartedInstall};
pub use known::{
    AddSite, AddedSite, EditSite, Invitation, Newer, Site, SiteDetails, SiteQuery, SshAt, Theme,
};
pub(crate) use login::LoginJob;
pub use login::{IssueLogin, LoginLink};
pub use moving::MoveSite;
pub(crate) use moving::{KIND as MOVE, MoveJob, touches as moves_touch};
pub(crate) use remove::RemoveJob;
pub use remove::{RemoveSite, RemovedSite};
pub(crate) use serve::below_root;
pub(crate) use users::{AddUserJob, ResetPasswordJob};
pub use users::{NewSiteUser, PasswordReset, ResetPassword, SiteUser, SiteUserAdded, UserName};
