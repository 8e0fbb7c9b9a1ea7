//! The way to a site on another machine: an agent behind a channel of an SSH connection.
//!
//! A [`Route`] says where the host is and with which key it opens, [`Hosts`] holds one
//! connection per host and shares it, a [`Remote`] is who works there. What is asked of
//! a host before an agent runs are a few constant scripts; what they are given are
//! quoted words, and what they answer stands behind a random number.
//!
//! Start reading at [`Remote`], then `session` (how a session is opened), `agent` (how
//! the agent gets there) and `hosts` (how a connection is shared).

mod account;
mod address;
mod agent;
mod channel;
mod connection;
mod error;
mod find;
mod host_key;
mod hosts;
mod key;
mod look;
mod program;
mod remote;
mod restriction;
mod route;
mod run_as;
mod script;
mod session;
mod shell;
mod survey;

pub use address::{Address, BadAddress};
pub use error::{Error, Result};
pub use find::FoundSite;
pub use host_key::{BadHostKey, HostKey, Pin};
pub use hosts::{Hosts, Limits};
pub use key::{Key, KeyError, KeyKind};
pub use look::Directory;
pub use program::Program;
pub use remote::Remote;
pub use restriction::Restriction;
pub use route::{Route, Stop};
pub use run_as::RunAs;
pub use survey::{Php, Survey};

pub(crate) use session::open;
