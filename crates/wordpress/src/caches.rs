//! A site's caches, flushed without booting WordPress and without the `php` program.
//!
//! Code that was exchanged is not served, and options that were restored are not
//! seen, while a cache still answers with what was there before. [`flush()`] goes
//! through all that can be known from the site's files: OPcache of its php-fpm pool
//! ([`opcache`]), its persistent object cache ([`redis`]) and the page caches of
//! well-known plugins ([`pages`]). One that cannot be reached never stops the others;
//! it is told as unknown, with the reason.

mod fastcgi;
mod flush;
pub(crate) mod fuzzing;
mod object;
pub mod opcache;
mod options;
pub mod pages;
pub mod redis;
mod report;
mod resp;
mod wire;

pub use flush::flush;
pub use options::FlushOptions;
pub use report::{Cache, CacheFlush, FlushReport, Outcome};
