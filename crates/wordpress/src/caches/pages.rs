//! Page caches as files, of well-known plugins.
//!
//! Only directories named in [`DIRECTORIES`] are emptied: others below
//! `wp-content/cache` may hold what cannot be made again. A directory changes places
//! with an empty one of the same mode, so that no page of before is served from then
//! on, and what was in it is removed beside the site.

use super::{Cache, CacheFlush, Outcome, stored};
use crate::{Error, Result, core::below, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

/// Directories below `wp-content` that hold rendered pages and nothing else, and
/// whose they are.
pub const DIRECTORIES: [(&str, &str); 20] = [
    (stored::DIRECTORY, "Pressroom"),
    ("cache/supercache", "WP Super Cache"),
    ("cache/page_enhanced", "W3 Total Cache"),
    ("cache/object", "W3 Total Cache, objects as files"),
    ("cache/db", "W3 Total Cache, queries as files"),
    ("cache/wp-rocket", "WP Rocket"),
    ("cache/all", "WP Fastest Cache"),
    ("cache/wpfc-mobile-cache", "WP Fastest Cache, mobile"),
    ("cache/cache-enabler", "Cache Enabler"),
    ("cache/comet-cache", "Comet Cache"),
    ("cache/hyper-cache", "Hyper Cache"),
    ("cache/breeze", "Breeze"),
    ("cache/wpo-cache", "WP-Optimize"),
    ("cache/swift-performance", "Swift Performance"),
    ("cache/powered-cache", "Powered Cache"),
    ("cache/cachify", "Cachify"),
    ("cache/sgo-cache", "SiteGround Optimizer"),
    ("cache/flying-press", "FlyingPress"),
    ("cache/surge", "Surge"),
    ("wphb-cache/cache", "Hummingbird"),
];

/// Plugins whose pages are kept where the site's files do not show, by their
/// directory.
const ELSEWHERE: [(&str, &str); 2] = [
    ("plugins/litespeed-cache", "LiteSpeed Cache"),
    ("plugins/nginx-helper", "Nginx Helper"),
];

/// Empties what is there; one entry for each that is.
pub(super) fn flush(
    home: &Home,
    epoch: Epoch,
    content: &str,
    watch: &Watch,
) -> Result<Vec<CacheFlush>> {
    let mut told: Vec<CacheFlush> = Vec::new();
    for (directory, whose) in DIRECTORIES {
        watch.check()?;
        let relative = below(content, directory);
        let outcome = match home.resolve(&relative) {
            Ok(path) => match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => {
                    emptied(home, epoch, &path, found.permissions().mode(), watch)?
                }
                Ok(_) => Outcome::unknown("it is not a directory"),
                Err(why) if why.kind() == io::ErrorKind::NotFound => continue,
                Err(why) => return Err(Error::io("look at", &path, why)),
            },
            // What a link points to is not looked at; a file on the way holds none.
            Err(Error::BadPath(_)) if passes_link(home, &relative) => {
                Outcome::unknown("a symbolic link is on its way, it was not emptied")
            }
            Err(Error::BadPath(_)) => continue,
            // Whatever is there; told once.
            Err(why) if stored::is_denied(&why) => {
                let name = relative.rsplit_once('/').map_or("", |(above, _)| above);
                if !told.iter().any(|told| told.name == name) {
                    told.push(CacheFlush {
                        cache: Cache::Pages,
                        name: name.to_owned(),
                        outcome: Outcome::unknown("it is another user's, it was not looked into"),
                    });
                }
                continue;
            }
            Err(why) => return Err(why),
        };
        told.push(CacheFlush {
            cache: Cache::Pages,
            name: format!("{whose} ({relative})"),
            outcome,
        });
    }
    for (directory, whose) in ELSEWHERE {
        let path = home.resolve(&below(content, directory));
        if path.is_ok_and(|path| path.is_dir()) {
            told.push(CacheFlush {
                cache: Cache::Pages,
                name: whose.to_owned(),
                outcome: Outcome::unknown("if it is active, the web server keeps the pages"),
            });
        }
    }
    Ok(told)
}

/// What came of emptying a directory.
pub(super) enum Emptied {
    /// It is empty; so many files were in it.
    Done(u64),
    /// Another file system, a mount, somebody else's directory.
    Refused(io::Error),
}

fn emptied(home: &Home, epoch: Epoch, path: &Path, mode: u32, watch: &Watch) -> Result<Outcome> {
    Ok(match empty(home, epoch, path, mode, watch)? {
        Emptied::Done(entries) => Outcome::Flushed {
            entries,
            verified: "an empty directory is in its place".to_owned(),
        },
        Emptied::Refused(why) => Outcome::unknown(format!("it could not be moved aside: {why}")),
    })
}

/// Puts an empty directory in the place of a full one; of our own pages, with a mark.
pub(super) fn empty(
    home: &Home,
    epoch: Epoch,
    path: &Path,
    mode: u32,
    watch: &Watch,
) -> Result<Emptied> {
    let aside = home
        .state_subdir("staging")?
        .join(package::handle(epoch)? + "-pages");
    DirBuilder::new()
        .mode(0o700)
        .create(&aside)
        .and_then(|()| fs::set_permissions(&aside, fs::Permissions::from_mode(mode & 0o7777)))
        .map_err(|why| Error::io("create", &aside, why))?;
    if path.ends_with(stored::DIRECTORY) {
        stored::mark(&aside)?;
    }
    let exchanged = fence::critical(home, epoch, watch, || disk::exchange(path, &aside));
    if let Err(why) = exchanged {
        let removed = disk::remove_tree(&aside);
        return match why {
            Error::Io { source, .. } => removed.map(|()| Emptied::Refused(source)),
            why => Err(why),
        };
    }
    let removed = count(&aside, watch).and_then(|files| disk::remove_tree(&aside).map(|()| files));
    match removed {
        Ok(files) => Ok(Emptied::Done(files)),
        // Directories in it are another user's. They are not to be left where nobody looks.
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            fence::critical(home, epoch, watch, || disk::exchange(path, &aside))?;
            disk::remove_tree(&aside)?;
            Ok(Emptied::Refused(source))
        }
        Err(why) => Err(why),
    }
}

/// Files below a directory that is ours alone now.
fn count(path: &Path, watch: &Watch) -> Result<u64> {
    let mut files = 0;
    let mut left = vec![path.to_owned()];
    while let Some(dir) = left.pop() {
        watch.check()?;
        for entry in fs::read_dir(&dir).map_err(|why| Error::io("list", &dir, why))? {
            let entry = entry.map_err(|why| Error::io("list", &dir, why))?;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(entry.path()),
                _ => files += 1,
            }
        }
    }
    Ok(files)
}

/// Whether a part of a path that was refused is a link.
fn passes_link(home: &Home, relative: &str) -> bool {
    relative
        .match_indices('/')
        .map(|(at, _)| &relative[..at])
        .chain([relative])
        .any(|part| {
            fs::symlink_metadata(home.path().join(part)).is_ok_and(|found| found.is_symlink())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample::{EPOCH, home, staged_names};
    use std::os::unix::fs::symlink;

    #[test]
    fn named_directories_are_emptied_and_nothing_else() {
        let (dir, home) = home();
        let content = dir.path().join("www/wp-content");
        let outside = dir.path().join("outside");
        for (path, text) in [
            ("cache/supercache/example.test/index.html", "page"),
            ("cache/supercache/example.test/shop/index.html", "page"),
            ("cache/all/index.html", "page"),
            ("cache/mine/index.html", "mine"),
            ("cache/index.html", "mine"),
            ("uploads/cache/supercache/x", "mine"),
        ] {
            let path = content.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("x"), "mine").unwrap();
        symlink(&outside, content.join("cache/wp-rocket")).unwrap();
        symlink(&outside, content.join("cache/supercache/link")).unwrap();
        fs::write(content.join("cache/breeze"), "a file").unwrap();
        let mode = fs::Permissions::from_mode(0o2775);
        fs::set_permissions(content.join("cache/supercache"), mode).unwrap();

        let told = flush(&home, EPOCH, "www/wp-content", &Watch::unbounded()).unwrap();
        let outcome = |word: &str| {
            &told
                .iter()
                .find(|told| told.name.contains(word))
                .unwrap()
                .outcome
        };
        assert_eq!(told.len(), 4);
        assert!(matches!(
            outcome("Super"),
            Outcome::Flushed { entries: 3, .. }
        ));
        assert!(matches!(
            outcome("Fastest"),
            Outcome::Flushed { entries: 1, .. }
        ));
        assert!(matches!(outcome("Rocket"), Outcome::Unknown { .. }));
        assert!(matches!(outcome("Breeze"), Outcome::Unknown { .. }));
        let emptied = content.join("cache/supercache");
        assert_eq!(fs::read_dir(&emptied).unwrap().count(), 0);
        assert_eq!(
            fs::metadata(&emptied).unwrap().permissions().mode() & 0o7777,
            0o2775
        );
        for kept in [
            "cache/mine/index.html",
            "cache/index.html",
            "uploads/cache/supercache/x",
        ] {
            assert_eq!(fs::read_to_string(content.join(kept)).unwrap(), "mine");
        }
        assert_eq!(fs::read_to_string(outside.join("x")).unwrap(), "mine");
        assert_eq!(staged_names(&home), [""; 0]);
        let again = flush(&home, EPOCH, "elsewhere", &Watch::unbounded()).unwrap();
        assert_eq!(again, []);
    }
}
