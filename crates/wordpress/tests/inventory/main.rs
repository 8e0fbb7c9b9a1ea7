//! Finding and reading, against real WordPress.

mod activity;
mod config;
mod headers;
