//! Our own drop-ins: `advanced-cache.php`, a cache of pages in files, and
//! `object-cache.php`, a cache of objects in Redis.
//!
//! Each carries a line that says it is ours. A file without it is somebody else's: it is
//! told, never written over and never removed.

use super::{
    object, opcache,
    ours::{DropIn, MAX_DROP_IN, REDIS_ADDRESS, REDIS_SITE, WP_CACHE_BEFORE, content, redis_site},
    stored,
};
use crate::{
    Error, Result,
    config::{self, ConfigValue, ListedConstant, below},
    disk, fence,
    home::Home,
    package,
    watch::Watch,
};
use pressroom_base::Epoch;
use pressroom_phpdata::headers;
use serde::{Deserialize, Serialize};

/// What lies where a drop-in belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum FoundDropIn {
    /// Nothing.
    #[default]
    Absent,
    /// Ours.
    Ours {
        /// Whether it is the one of this release.
        current: bool,
    },
    /// Somebody else's, or something that cannot be read.
    Foreign {
        /// Whose, as far as it says.
        name: String,
    },
}

impl FoundDropIn {
    /// Whether it is ours.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Ours { .. })
    }
}

/// What a site has of caches, from its files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheStatus {
    /// `wp-content`, relative to the home.
    pub content: String,
    /// `advanced-cache.php`.
    pub page: FoundDropIn,
    /// `object-cache.php`.
    pub object: FoundDropIn,
    /// What a foreign `object-cache.php` keeps its entries in: `redis`, `memcached`,
    /// `apcu` or `other`.
    pub object_backend: Option<String>,
    /// Whether `WP_CACHE` is `true`; `None` when that is unknown.
    pub wp_cache: Option<bool>,
    /// Whether `WP_CACHE` is defined at all, as far as that is known.
    pub wp_cache_defined: bool,
    /// What [`WP_CACHE_BEFORE`] says.
    pub wp_cache_before: Option<String>,
    /// Where our object cache was told to find Redis.
    pub redis_address: Option<String>,
    /// Whether it was told so for the database and the tables that the site has.
    pub redis_is_bound: bool,
    /// Pages that our page cache holds.
    pub pages: stored::Stored,
    /// Whether the site's PHP has compiled code in memory; `None` when it cannot be asked.
    pub opcache: Option<bool>,
}

/// Looks at the caches of the WordPress in `root`. With `php`, a configuration that cannot
/// be read is evaluated; with the pool's socket, OPcache is asked.
pub fn status(
    home: &Home,
    root: &str,
    php: Option<&str>,
    fpm_socket: Option<&str>,
    watch: &Watch,
) -> Result<CacheStatus> {
    let content = content(home, root)?;
    let listing = config::list(home, root, php, watch)?;
    let constant = |name: &str| listing.constants.iter().find(|one| one.name == name);
    let text = |name: &str| constant(name).and_then(text);
    let page = find(home, &content, DropIn::Page)?.0;
    let (object, backend) = find(home, &content, DropIn::Object)?;
    Ok(CacheStatus {
        page,
        object_backend: matches!(object, FoundDropIn::Foreign { .. }).then_some(backend),
        object,
        wp_cache: match constant("WP_CACHE") {
            None if listing.may_be_more => None,
            None => Some(false),
            Some(one) => truth(one),
        },
        wp_cache_defined: constant("WP_CACHE").is_some(),
        wp_cache_before: text(WP_CACHE_BEFORE),
        redis_address: text(REDIS_ADDRESS),
        redis_is_bound: match (text(REDIS_SITE), text("DB_NAME"), &listing.table_prefix) {
            (Some(said), Some(database), Some(tables)) => said == redis_site(&database, tables),
            _ => false,
        },
        pages: stored::measure(home, &content, watch)?,
        opcache: match fpm_socket {
            Some(socket) => opcache::is_on(home, root, socket, watch)?,
            None => None,
        },
        content,
    })
}

/// Puts our drop-in there, over an older one of ours; [`Error::Occupied`] when there is
/// one of somebody else. Answers whether anything had to be written.
pub fn put(home: &Home, epoch: Epoch, root: &str, which: DropIn, watch: &Watch) -> Result<bool> {
    fence::check(home, epoch, watch)?;
    let relative = below(&content(home, root)?, which.file());
    let path = home.resolve(&relative)?;
    let aside = package::aside(home, epoch)?;
    disk::write_aside(&aside, which.code().as_bytes(), 0o644)?;
    let placed = fence::critical(home, epoch, watch, || match look(home, &relative, which)? {
        FoundDropIn::Foreign { .. } => Err(Error::Occupied(relative.clone())),
        FoundDropIn::Ours { current: true } => Ok(false),
        _ => disk::put_in_place(&aside, &path).map(|()| true),
    });
    if !matches!(placed, Ok(true)) {
        disk::remove_file(&aside)?;
    }
    placed
}

/// Removes our drop-in, and with the page cache all its pages; somebody else's stays.
/// Answers whether there was one of ours.
pub fn remove(home: &Home, epoch: Epoch, root: &str, which: DropIn, watch: &Watch) -> Result<bool> {
    fence::check(home, epoch, watch)?;
    let content = content(home, root)?;
    let relative = below(&content, which.file());
    let path = home.resolve(&relative)?;
    let removed = fence::critical(home, epoch, watch, || {
        let ours = look(home, &relative, which)?.is_ours();
        if ours {
            disk::remove_file(&path)?;
        }
        Ok(ours)
    })?;
    if which == DropIn::Page {
        stored::remove(home, epoch, &content, watch)?;
    }
    Ok(removed)
}

fn look(home: &Home, relative: &str, which: DropIn) -> Result<FoundDropIn> {
    Ok(found(home, relative, which)?.0)
}

fn find(home: &Home, content: &str, which: DropIn) -> Result<(FoundDropIn, String)> {
    found(home, &below(content, which.file()), which)
}

/// What is there, and in what it keeps its entries if it is an object cache.
fn found(home: &Home, relative: &str, which: DropIn) -> Result<(FoundDropIn, String)> {
    let foreign = |name: &str| FoundDropIn::Foreign {
        name: name.to_owned(),
    };
    let other = || "other".to_owned();
    let bytes = match home.read_start(relative, MAX_DROP_IN) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            // A directory, say: nothing that we would remove.
            let is_there = disk::exists(&home.resolve(relative)?)?;
            let what = if is_there {
                foreign(which.file())
            } else {
                FoundDropIn::Absent
            };
            return Ok((what, other()));
        }
        // A link; where it leads is not looked at.
        Err(Error::BadPath(_)) => return Ok((foreign(which.file()), other())),
        Err(why) => return Err(why),
    };
    if which.is_ours(&bytes) {
        let current = bytes == which.code().as_bytes();
        return Ok((FoundDropIn::Ours { current }, "redis".to_owned()));
    }
    let header = headers::value(&bytes, "Plugin Name").filter(|name| !name.is_empty());
    let name = match &header {
        Some(name) => name.as_str(),
        None => known(&bytes).unwrap_or(which.file()),
    };
    let backend = object::backend_name(header.as_deref().unwrap_or_default(), &bytes);
    Ok((foreign(name), backend.to_owned()))
}

/// Well-known drop-ins that have no header.
fn known(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    [
        ("wp-super-cache", "WP Super Cache"),
        ("wpcachehome", "WP Super Cache"),
        ("wp super cache", "WP Super Cache"),
        ("w3-total-cache", "W3 Total Cache"),
        ("w3tc", "W3 Total Cache"),
        ("wp-rocket", "WP Rocket"),
        ("wp_rocket", "WP Rocket"),
        ("litespeed", "LiteSpeed Cache"),
        ("cache-enabler", "Cache Enabler"),
        ("cache_enabler", "Cache Enabler"),
        ("wp-optimize", "WP-Optimize"),
        ("hummingbird", "Hummingbird"),
        ("breeze", "Breeze"),
        ("batcache", "Batcache"),
        ("surge", "Surge"),
    ]
    .into_iter()
    .find_map(|(word, name)| text.contains(word).then_some(name))
}

fn text(one: &ListedConstant) -> Option<String> {
    match &one.value {
        Some(ConfigValue::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

/// As PHP takes it.
fn truth(one: &ListedConstant) -> Option<bool> {
    one.value.as_ref().map(|value| match value {
        ConfigValue::Bool(truth) => *truth,
        ConfigValue::Int(number) => *number != 0,
        ConfigValue::Text(text) => !text.is_empty() && text != "0",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample::{EPOCH, home, staged_names};
    use std::fs;

    const OTHERS: &str = "<?php\n// Plugin Name: Redis Object Cache Drop-In\n";

    #[test]
    fn ours_come_and_go_and_foreign_ones_stay() {
        let (dir, home) = home();
        let content = dir.path().join("www/wp-content");
        fs::create_dir_all(&content).unwrap();
        let watch = Watch::unbounded();
        for which in [DropIn::Page, DropIn::Object] {
            let file = content.join(which.file());
            let now = || look(&home, &format!("www/wp-content/{}", which.file()), which).unwrap();
            assert_eq!(now(), FoundDropIn::Absent);
            assert!(put(&home, EPOCH, "www", which, &watch).unwrap());
            assert!(!put(&home, EPOCH, "www", which, &watch).unwrap());
            assert_eq!(now(), FoundDropIn::Ours { current: true });
            assert_eq!(fs::read_to_string(&file).unwrap(), which.code());
            let older = which.code().replace("Version: 1", "Version: 0");
            fs::write(&file, older).unwrap();
            assert_eq!(now(), FoundDropIn::Ours { current: false });
            assert!(put(&home, EPOCH, "www", which, &watch).unwrap());
            assert!(remove(&home, EPOCH, "www", which, &watch).unwrap());
            assert!(!remove(&home, EPOCH, "www", which, &watch).unwrap());
            assert!(!file.exists());

            fs::write(&file, OTHERS).unwrap();
            let FoundDropIn::Foreign { name } = now() else {
                panic!("taken for ours")
            };
            assert_eq!(name, "Redis Object Cache Drop-In");
            let refused = put(&home, EPOCH, "www", which, &watch).unwrap_err();
            assert!(matches!(refused, Error::Occupied(_)), "{refused}");
            assert!(!remove(&home, EPOCH, "www", which, &watch).unwrap());
            assert_eq!(fs::read_to_string(&file).unwrap(), OTHERS);
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
            assert!(put(&home, EPOCH, "www", which, &watch).is_err());
            assert!(!remove(&home, EPOCH, "www", which, &watch).unwrap());
            fs::remove_dir(&file).unwrap();
            let link = dir.path().join("elsewhere.php");
            fs::write(&link, which.code()).unwrap();
            std::os::unix::fs::symlink(&link, &file).unwrap();
            assert!(put(&home, EPOCH, "www", which, &watch).is_err());
            assert!(link.exists() && file.is_symlink());
            fs::remove_file(&file).unwrap();
        }
        assert_eq!(staged_names(&home), [""; 0]);
    }

    #[test]
    fn drop_ins_without_a_header_are_told_by_their_words() {
        assert_eq!(known(b"<?php // WP-Rocket"), Some("WP Rocket"));
        assert_eq!(known(b"<?php define('X', 1);"), None);
    }
}
