//! Suites that see Pressroom from outside: structure of the workspace, the whole
//! path over real WordPress, faults, and the console in a browser.
//!
//! Each directory or file of `tests/` is one test binary; what they share lives in
//! `pressroom-testkit` and in [`fixture`]. They need the binaries built first
//! (`cargo build -p pressroom -p pressroom-agent`, `./check` does it).

pub mod adopted;
pub mod client;
pub mod corpus;
pub mod fixture;
pub mod killed;
pub mod left;
pub mod network;
pub mod poller;
