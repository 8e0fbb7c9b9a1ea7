//! The site's database, worked on natively.

mod checksum;
pub(crate) mod client;
pub mod connection;
pub mod dump;
mod facts;
pub(crate) mod fuzzing;
pub mod replace;
pub mod restore;
pub mod restore_point;
pub(crate) mod share;
mod size;
pub(crate) mod sql;
mod updater_lock;
mod users;
pub(crate) mod working;

pub use checksum::{TableChecksum, checksums};
pub use connection::Connection;
pub use facts::{Administrator, Blog, Network, SiteFacts, read_facts, read_site};
pub use size::{TableSize, size};
pub use updater_lock::{UpdaterLock, hold_updater, release_updater};
pub use users::{SeenUser, UserQuery, read_users};
