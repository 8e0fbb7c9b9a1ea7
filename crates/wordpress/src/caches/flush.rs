//! All caches of a site, one after the other.

use super::{Cache, CacheFlush, FlushOptions, FlushReport, Outcome, object, opcache, pages};
use crate::{
    Result,
    config::{Directories, Directory, below},
    fence,
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;

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
