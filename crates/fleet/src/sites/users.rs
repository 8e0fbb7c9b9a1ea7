//! Users of a site: listed, added, given another password.

mod add;
mod list;
mod reset;
mod words;

pub(crate) use add::AddUserJob;
pub use add::{NewSiteUser, SiteUserAdded};
pub use list::SiteUser;
pub(crate) use reset::ResetPasswordJob;
pub use reset::{PasswordReset, ResetPassword, UserName};
