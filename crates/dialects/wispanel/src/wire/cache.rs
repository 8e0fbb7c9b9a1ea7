//! T27 to T31.

use super::RunningOut;
use pressroom_fleet::caches::CacheState;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A cache to enable or disable.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct CacheIn {
    /// The installation; required.
    pub id: Option<String>,
    /// `page` or `object`; without it both, as far as that is possible.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// Caches to flush.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct CacheFlushIn {
    /// The installation; required.
    pub id: Option<String>,
}

/// Pages to purge.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct CachePurgeIn {
    /// The installation; required.
    pub id: Option<String>,
    /// Only the page at this address of the installation.
    pub url: Option<String>,
}

/// An installation's caches.
#[derive(Serialize, ToSchema)]
pub struct CacheOut {
    /// Whether pages or objects are cached.
    pub enabled: bool,
    /// Of pages.
    pub page_cache: PageCacheOut,
    /// Of objects.
    pub object_cache: ObjectCacheOut,
    /// Whether PHP keeps compiled code; `null` when that is not known.
    pub opcache: Option<bool>,
    /// The plugin whose cache is there instead of ours.
    pub plugin: Option<String>,
}

/// The cache of pages.
#[derive(Serialize, ToSchema)]
pub struct PageCacheOut {
    /// Whether it is in use.
    pub enabled: bool,
    /// `file` for ours, `other` for a plugin's.
    pub engine: Option<String>,
    /// Bytes of our pages.
    pub size_bytes: u64,
    /// How many they are.
    pub files: u64,
}

/// The cache of objects.
#[derive(Serialize, ToSchema)]
pub struct ObjectCacheOut {
    /// Whether it is in use.
    pub enabled: bool,
    /// `redis` for ours; `redis`, `memcached`, `apcu` or `other` for a plugin's.
    pub engine: Option<String>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum CacheChangeOut {
    /// As it is now.
    Changed(CacheChangedOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// What was verified at the site.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheChangedOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: String,
    /// Pages that were removed, of a purge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purged: Option<u64>,
    /// The caches now.
    pub cache: CacheOut,
}

impl From<CacheState> for CacheOut {
    fn from(state: CacheState) -> Self {
        Self {
            enabled: state.is_enabled(),
            page_cache: PageCacheOut {
                enabled: state.page.enabled,
                engine: state.page.engine,
                size_bytes: state.page.size_bytes,
                files: state.page.files,
            },
            object_cache: ObjectCacheOut {
                enabled: state.object.enabled,
                engine: state.object.engine,
            },
            opcache: state.opcache,
            plugin: state.plugin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_fleet::caches::{ObjectCache, PageCache};

    #[test]
    fn t27_cache_object() {
        let state = CacheState {
            page: PageCache {
                enabled: true,
                engine: Some("file".into()),
                size_bytes: 1_048_576,
                files: 120,
                unseen: false,
            },
            object: ObjectCache::default(),
            opcache: Some(true),
            plugin: None,
        };
        let out = serde_json::to_value(CacheOut::from(state)).expect("JSON");
        assert_eq!(
            out,
            serde_json::json!({
                "enabled": true,
                "page_cache": { "enabled": true, "engine": "file", "size_bytes": 1_048_576, "files": 120 },
                "object_cache": { "enabled": false, "engine": null },
                "opcache": true,
                "plugin": null,
            })
        );
    }
}
