//! Restore points on a real MariaDB: taken, sealed, taken back, killed.
#![expect(clippy::unwrap_used, reason = "tests")]

mod busy;
mod definitions;
mod killed;
mod model;
#[path = "../dump/place.rs"]
#[expect(dead_code, reason = "shared with the tests of dumps")]
mod place;
mod points;
mod rows;
mod steps;
mod values;
mod volatile;
