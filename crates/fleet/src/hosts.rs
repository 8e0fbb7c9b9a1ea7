//! Machines that are reached over SSH.

mod add;
mod list;
mod record;
mod remove;
mod route;
mod test;
mod view;

pub use add::NewHost;
pub use pressroom_carrier::ssh::{Hosts, Limits};
pub use test::HostFound;
pub use view::{FoundPhp, FoundSite, Host, HostSurvey, HostWay};

pub(crate) use add::checked_label;
pub(crate) use view::php_of;
