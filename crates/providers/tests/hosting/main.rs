//! This machine as a host: a real MariaDB, php-fpm and nginx, as root.
//!
//! Run as root on a machine that has them; without, the tests fail and say so.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod broken;
mod databases;
mod init;
mod limits;
mod moving;
mod network;
mod ordinary_user;
mod protection;
mod running;
mod stack;
mod tls;
mod users;
mod web;
