//! Files of a site held against the packages they came from.

mod report;
mod verify;

pub use report::{Differences, Named, Verdict, Verification, Verified};
pub use verify::VerifySite;
