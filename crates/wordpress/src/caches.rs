//! A site's caches, flushed without booting WordPress and without the `php` program.
//!
//! Code that was exchanged is not served, and options that were restored are not
//! seen, while a cache still answers with what was there before. [`flush()`] goes
//! through all that can be known from the site's files: OPcache of its php-fpm pool
//! ([`opcache`]), its persistent object cache ([`redis`]) and the page caches of
//! well-known plugins ([`pages`]). One that cannot be reached never stops the others;
//! it is told as unknown, with the reason.
//!
//! [`put`] and [`remove`] are for drop-ins of our own, and [`acl`] for what the one for
//! objects needs at a Redis server that many sites share.

pub mod acl;
mod drop_in;
mod fastcgi;
mod flush;
pub(crate) mod fuzzing;
mod object;
pub mod opcache;
mod options;
mod ours;
pub mod pages;
mod purge;
pub mod redis;
mod report;
mod resp;
mod stored;
mod wire;

pub use drop_in::{CacheStatus, FoundDropIn, put, remove, status};
pub use flush::flush;
pub use options::FlushOptions;
pub use ours::{
    DropIn, REDIS_ADDRESS, REDIS_DATABASE, REDIS_PASSWORD, REDIS_PREFIX, REDIS_SITE, REDIS_USER,
    WP_CACHE_BEFORE, redis_site,
};
pub use purge::purge;
pub use report::{Cache, CacheFlush, FlushReport, Outcome};
pub use stored::{Stored, escaped_path};
