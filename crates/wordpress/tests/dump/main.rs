//! Dumps and restores on a real MariaDB and on real sites.
#![expect(clippy::unwrap_used, reason = "tests")]

mod exchange;
mod foreign;
mod hosts;
mod killed;
mod place;
mod prefixes;
mod rights;
mod shared;
mod sites;
mod types;
mod undone;
mod values;
