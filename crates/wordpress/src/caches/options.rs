//! What may be said of a site's caches.

use super::redis::RedisSettings;
use serde::{Deserialize, Serialize};

/// Which caches, and how to get at them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlushOptions {
    /// Where the site's php-fpm pool listens, as its `listen` says it: an absolute
    /// path, `host:port`, or `[v6]:port`. `None`: OPcache is told as unknown.
    pub fpm_socket: Option<String>,
    /// What was exchanged, relative to the home: OPcache forgets the scripts there.
    /// Empty means the whole root.
    pub changed_paths: Vec<String>,
    /// `wp-content`, relative to the home, where it is not what the configuration plainly
    /// says.
    pub content: Option<String>,
    /// How to get at a Redis object cache, where `wp-config.php` does not say it
    /// plainly.
    pub redis: Option<RedisSettings>,
    /// Whether the site's Redis database number is nobody else's: then the whole
    /// database is emptied, with a prefix or without.
    pub redis_database_is_exclusive: bool,
}
