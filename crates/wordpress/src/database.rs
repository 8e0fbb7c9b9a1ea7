//! The site's database, worked on natively.

mod client;
pub mod connection;
pub mod dump;
mod facts;
pub mod restore;
mod sql;
mod working;

pub use connection::Connection;
pub use facts::{Administrator, SiteFacts, read_facts, read_site};
