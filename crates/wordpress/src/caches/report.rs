//! What became of caches.

use serde::{Deserialize, Serialize};

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
