//! Made-up sites, looked at and compared: what must be found, and what must not stop an
//! update.

#![expect(clippy::unwrap_used, reason = "a test fails where its set-up does")]

mod bad;
mod documented;
mod good;
mod looks;
mod origin;
mod shown;
mod site;
