//! Sites as their account knows them: to be added by their address, found, listed, changed
//! on record and forgotten, connected or not.

mod add;
mod details;
mod edit;
mod find;
mod forget;
mod guard;
mod list;
mod place;
mod values;
mod view;

pub use add::{AddSite, AddedSite, Invitation};
pub use edit::EditSite;
pub use list::SiteQuery;
pub use place::SshAt;
pub use view::{Newer, Site, SiteDetails, Theme};
