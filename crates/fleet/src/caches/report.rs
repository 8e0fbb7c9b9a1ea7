//! What is told of a site's caches.

use pressroom_wordpress::caches::{CacheStatus, FoundDropIn};
use serde::{Deserialize, Serialize};

/// A cache that can be enabled and disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cache {
    /// Of pages, as files.
    Page,
    /// Of objects, in Redis.
    Object,
}

impl Cache {
    /// The one of this name, `page` or `object`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "page" => Some(Self::Page),
            "object" => Some(Self::Object),
            _ => None,
        }
    }

    /// `page cache` or `object cache`.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Page => "page cache",
            Self::Object => "object cache",
        }
    }
}

/// A site's caches, whoever put them there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheState {
    /// Of pages.
    pub page: PageCache,
    /// Of objects.
    pub object: ObjectCache,
    /// Whether the site's PHP keeps compiled code; `None` when it could not be asked.
    pub opcache: Option<bool>,
    /// Name of the plugin whose cache is there instead of Pressroom's.
    pub plugin: Option<String>,
}

impl CacheState {
    /// Whether pages or objects are cached.
    pub const fn is_enabled(&self) -> bool {
        self.page.enabled || self.object.enabled
    }
}

/// The cache of pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageCache {
    /// Whether it is in use.
    pub enabled: bool,
    /// `file` for Pressroom's, `other` for a plugin's.
    pub engine: Option<String>,
    /// Bytes of Pressroom's pages.
    pub size_bytes: u64,
    /// How many they are.
    pub files: u64,
    /// Whether there may be more, of another user as whom the web server runs PHP: they
    /// can neither be counted nor removed.
    #[serde(default)]
    pub unseen: bool,
}

/// The cache of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectCache {
    /// Whether it is in use.
    pub enabled: bool,
    /// `redis` for Pressroom's; `redis`, `memcached`, `apcu` or `other` for a plugin's.
    pub engine: Option<String>,
}

/// The result of a job: what was verified at the site, and how it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheChanged {
    /// What happened, for a person.
    pub message: String,
    /// The caches afterwards.
    pub cache: CacheState,
    /// Pages that were removed, of a purge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purged: Option<u64>,
}

/// Whether our page cache is in use.
pub(super) fn has_page(status: &CacheStatus) -> bool {
    status.page.is_ours() && status.wp_cache == Some(true)
}

/// Whether our object cache is in use, as far as the files say.
pub(super) fn has_object(status: &CacheStatus) -> bool {
    status.object.is_ours() && status.redis_address.is_some() && status.redis_is_bound
}

impl From<&CacheStatus> for CacheState {
    fn from(status: &CacheStatus) -> Self {
        let mut state = Self {
            opcache: status.opcache,
            ..Self::default()
        };
        let engine = |name: &str| Some(name.to_owned());
        state.page.files = status.pages.files;
        state.page.size_bytes = status.pages.bytes;
        state.page.unseen = status.pages.unseen;
        match &status.page {
            FoundDropIn::Foreign { name } => {
                // Without the constant WordPress does not look at the file.
                state.page.enabled = status.wp_cache == Some(true);
                state.page.engine = engine("other").filter(|_| state.page.enabled);
                state.plugin = Some(name.clone());
            }
            _ if has_page(status) => {
                state.page.enabled = true;
                state.page.engine = engine("file");
            }
            _ => {}
        }
        match &status.object {
            FoundDropIn::Foreign { name } => {
                state.object.enabled = true;
                state.object.engine.clone_from(&status.object_backend);
                state.plugin.get_or_insert_with(|| name.clone());
            }
            _ if has_object(status) => {
                state.object.enabled = true;
                state.object.engine = engine("redis");
            }
            _ => {}
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_in_use_when_wordpress_runs_it() {
        let ours = FoundDropIn::Ours { current: true };
        let foreign = || FoundDropIn::Foreign { name: "X".into() };
        let told = |status: CacheStatus| CacheState::from(&status);
        assert!(!told(CacheStatus::default()).is_enabled());
        let page = CacheStatus {
            page: ours.clone(),
            ..CacheStatus::default()
        };
        assert!(!told(page.clone()).page.enabled, "the constant is missing");
        let page = CacheStatus {
            wp_cache: Some(true),
            ..page
        };
        assert_eq!(told(page).page.engine.as_deref(), Some("file"));
        let theirs = told(CacheStatus {
            page: foreign(),
            object: foreign(),
            object_backend: Some("apcu".into()),
            ..CacheStatus::default()
        });
        assert!(!theirs.page.enabled && theirs.page.engine.is_none());
        assert_eq!(theirs.object.engine.as_deref(), Some("apcu"));
        assert_eq!(theirs.plugin.as_deref(), Some("X"));
        let object = CacheStatus {
            object: ours,
            ..CacheStatus::default()
        };
        assert!(
            !told(object).object.enabled,
            "it is not told where Redis is"
        );
    }
}
