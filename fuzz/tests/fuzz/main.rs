//! Fuzz targets; see the crate's documentation.

mod agent;
mod archives;
mod bridge;
mod caches;
mod checksums;
mod input;
mod journal;
mod phpdata;
mod sql;
