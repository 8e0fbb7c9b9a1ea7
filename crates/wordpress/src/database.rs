//! The site's database, worked on natively.

pub mod connection;
mod facts;

pub use connection::Connection;
pub use facts::{Administrator, SiteFacts, read_facts, read_site};
