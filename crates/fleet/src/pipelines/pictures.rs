//! Pictures of pages before and after, kept in the archive for whoever is to say yes.
//!
//! Each is an object of its own, below account and environment as snapshots are. Its row is
//! written before it and removed after it: what a killed worker left is found by its row.

mod find;
mod keep;
mod place;
mod sweep;

pub use find::OpenPicture;
pub(super) use keep::{Pair, keep_pictures};
