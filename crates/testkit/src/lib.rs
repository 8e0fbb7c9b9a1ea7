//! Real sites, databases and browsers for tests.
//!
//! Everything here is the real thing, started privately: the `pressroom` binary
//! with its own data directory and ports, real WordPress packages, real Chromium.
//! What a test needs to *see* (trees, Unix users, databases, opened paths) is read
//! here with code of its own, never through the code under test.
//!
//! It must never be a dependency of anything that ships. Start reading at
//! [`server::Pressroom`]; a test makes one, walks a path over HTTP and the command
//! line, and looks at the outcome with [`tree`], [`ledger`] and [`browser`].

pub mod api;
pub mod browser;
pub mod chance;
pub mod ledger;
pub mod mount;
pub mod names;
pub mod packages;
pub mod place;
pub mod plugin;
pub mod postgres;
pub mod receiver;
pub mod redis;
pub mod scratch;
pub mod server;
pub mod site;
pub mod sql;
pub mod trace;
pub mod tree;
pub mod wait;
pub mod wordpress_org;

pub use scratch::Scratch;
pub use server::{Database, Options, Pressroom, Started};
pub use wait::eventually;
