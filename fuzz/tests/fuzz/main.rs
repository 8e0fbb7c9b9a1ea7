//! Fuzz targets; see the crate's documentation.

#![expect(clippy::unwrap_used, reason = "a test fails where its set-up does")]

mod agent;
mod archives;
mod bridge;
mod caches;
mod checksums;
mod gate;
mod input;
mod journal;
mod phpdata;
mod sql;
mod visitor;
