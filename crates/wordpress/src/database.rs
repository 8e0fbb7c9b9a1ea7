//! The site's database, worked on natively.

pub mod connection;
mod facts;
pub mod replace;

pub use connection::Connection;
pub use facts::{Administrator, Blog, Network, SiteFacts, read_facts, read_site};
