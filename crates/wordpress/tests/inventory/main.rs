//! Finding and reading, against real WordPress.

#![expect(clippy::unwrap_used, reason = "a test fails where its set-up does")]

mod activity;
mod config;
mod headers;
mod source;
