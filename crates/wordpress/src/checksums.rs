//! Files on disk held against what the package's source says they are.
//!
//! What is expected comes from outside: the lists that wordpress.org's API gives
//! ([`Expected::from_json`]), or the package itself ([`Expected::from_zip`]).
//! [`verify()`] reads the files on all processors and names what differs.

mod expected;
mod report;
mod verify;

pub use expected::{Expected, Sum, expected_from_zip};
pub use report::{ChecksumReport, Difference, Finding};
pub use verify::{ChecksumRequest, Subject, verify};

#[cfg(test)]
mod tests;
