//! Pairs of tokens for programs: one that opens things for a quarter of an hour, and one
//! that is exchanged for the next pair. All that one sign-in leads to is a family.
//!
//! What the tokens look like and how they are signed is their dialect's business. Here is
//! decided which are good: a face hands over what a token says of itself once its
//! signature was verified.

mod begin;
mod claims;
mod end;
mod exchange;
mod key;
mod recognize;

pub use claims::{Claims, Pair};
