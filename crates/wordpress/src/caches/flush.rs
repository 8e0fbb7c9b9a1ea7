//! All caches of a site, one after the other.

use super::{object, opcache, pages, redis::RedisSettings};
use crate::{
    Result,
    config::{Directories, Directory, below},
    fence,
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
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

/// What became of each cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlushReport {
    /// OPcache first, then the object cache, then page caches that were found.
    pub caches: Vec<CacheFlush>,
}

/// One cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheFlush {
    /// Which kind.
    pub cache: Cache,
    /// Which one of its kind, e.g. `Redis Object Cache` or `wp-content/cache/all`.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// A kind of cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cache {
    /// Compiled PHP.
    Opcache,
    /// `wp-content/object-cache.php`.
    Object,
    /// Pages as files.
    Pages,
}

/// What became of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing old is in it.
    Flushed {
        /// How many entries went.
        entries: u64,
        /// How that was seen.
        verified: String,
    },
    /// The site has none.
    NotPresent,
    /// It may still answer with what was there before.
    Unknown {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    pub(super) fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown {
            reason: reason.into(),
        }
    }
}

impl FlushReport {
    /// Whether nothing old is left anywhere, by looking.
    pub fn is_certain(&self) -> bool {
        let unknown = |told: &CacheFlush| matches!(told.outcome, Outcome::Unknown { .. });
        !self.caches.iter().any(unknown)
    }
}

/// Flushes every cache of the WordPress in `root` (the directory of its
/// `wp-config.php` or `wp-load.php`). Fails only for a stale epoch, a bad path, or
/// when the watch gives up.
pub fn flush(
    home: &Home,
    epoch: Epoch,
    root: &str,
    options: &FlushOptions,
    watch: &Watch,
) -> Result<FlushReport> {
    fence::check(home, epoch, watch)?;
    let root = root.trim_end_matches('/');
    home.resolve(root)?;
    let content = match &options.content {
        Some(content) => content.trim_end_matches('/').to_owned(),
        None => match Directories::told(home, root).content {
            Directory::Inside(path) | Directory::Outside(path) => path,
            Directory::Unknown => below(root, "wp-content"),
        },
    };
    let mut caches = vec![CacheFlush {
        cache: Cache::Opcache,
        name: "OPcache".to_owned(),
        outcome: opcache::flush(home, epoch, root, options, watch)?,
    }];
    caches.push(object::flush(home, root, &content, options, watch)?);
    fence::check(home, epoch, watch)?;
    match home.resolve(&content) {
        Ok(_) => caches.extend(pages::flush(home, epoch, &content, watch)?),
        Err(_) => caches.push(CacheFlush {
            cache: Cache::Pages,
            name: content.clone(),
            outcome: Outcome::unknown(
                "it is outside of the site's home, or behind a symbolic link",
            ),
        }),
    }
    Ok(FlushReport { caches })
}
