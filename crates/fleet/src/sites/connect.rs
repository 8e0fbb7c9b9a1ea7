//! Connecting sites that were added by their address: finding each where it is said to be,
//! or may be, and taking it under management when it is what it is called.

mod attend;
mod here;
mod job;
mod outside;
mod readdress;
mod there;
mod way;

pub(crate) use job::ConnectJob;
pub(super) use job::site_of;
