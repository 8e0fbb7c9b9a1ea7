//! This machine as a host: a real MariaDB, php-fpm and nginx, as root.
//!
//! Run as root on a machine that has them; without, the tests fail and say so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod databases;
mod ordinary_user;
mod running;
mod stack;
mod users;
mod web;
