//! What a site keeps to be faster: pages as files, objects in Redis, compiled code.

mod after;
mod bench;
mod job;
mod look;
mod object;
mod page;
mod purge;
mod redis;
mod report;
mod start;

pub(crate) use job::CacheJob;
pub use pressroom_wordpress::caches::redis::RedisSettings;
pub use report::{Cache, CacheChanged, CacheState, ObjectCache, PageCache};
pub use start::CacheChange;
