//! Purging pages of our own cache.

use super::{
    ours::content,
    pages::{Emptied, empty},
    stored::{address, directory, each, head, measure, unseen},
};
use crate::{Error, Result, disk, fence, home::Home, watch::Watch};
use pressroom_base::Epoch;
use std::{fs, os::unix::fs::PermissionsExt};

/// Purges all pages, or that at one address (whatever its scheme, and with a slash at its
/// end or without). Answers how many there were. Pages of another user, which may neither
/// be seen nor removed, are an error: nobody is told that they are gone.
pub fn purge(
    home: &Home,
    epoch: Epoch,
    root: &str,
    url: Option<&str>,
    watch: &Watch,
) -> Result<u64> {
    fence::check(home, epoch, watch)?;
    let content = content(home, root)?;
    let Some(directory) = directory(home, &content)? else {
        return Ok(0);
    };
    let Some(url) = url else {
        let stored = measure(home, &content, watch)?;
        if stored.unseen {
            return Err(unseen(&directory));
        }
        let mode = fs::symlink_metadata(&directory)
            .map_err(|why| Error::io("look at", &directory, why))?
            .permissions()
            .mode();
        return match empty(home, epoch, &directory, mode, watch)? {
            Emptied::Done(_) => Ok(stored.files),
            Emptied::Refused(why) => Err(Error::io("exchange", &directory, why)),
        };
    };
    let wanted = address(url);
    let (mut purged, mut hidden) = (0, false);
    let whole = each(&directory, watch, |path| {
        if head(path, &mut hidden).is_some_and(|head| address(&head.url) == wanted) {
            fence::critical(home, epoch, watch, || disk::remove_file(path))?;
            purged += 1;
        }
        Ok(())
    })?;
    if hidden || !whole {
        return Err(unseen(&directory));
    }
    Ok(purged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        caches::stored::{DIRECTORY, MARK, entries, remove},
        package::sample::{EPOCH, home, staged_names},
    };
    use std::path::Path;

    fn page(directory: &Path, name: &str, url: &str) {
        let shard = directory.join("pages").join(&name[..2]);
        fs::create_dir_all(&shard).unwrap();
        let head = serde_json::json!({ "v": 1, "url": url });
        fs::write(shard.join(&name[2..]), format!("{head}\n<html></html>")).unwrap();
    }

    #[test]
    fn one_page_goes_or_all_do() {
        let (dir, home) = home();
        let directory = dir.path().join("www/wp-content").join(DIRECTORY);
        fs::create_dir_all(dir.path().join("www/wp-content")).unwrap();
        let watch = Watch::unbounded();
        let now = || measure(&home, "www/wp-content", &watch).unwrap().files;
        let purge = |url| purge(&home, EPOCH, "www", url, &watch).unwrap();
        assert_eq!((now(), purge(None)), (0, 0));
        page(&directory, "aa1.page", "http://a.example/one/");
        page(&directory, "ab1.page", "https://a.example/one/");
        page(&directory, "ab2.page", "http://a.example/");
        page(&directory, "ab3.page", "http://b.example/one/");
        page(&directory, "ab4.new", "http://a.example/one/");
        fs::write(directory.join("pages/ab/x.page"), "no head").unwrap();
        assert_eq!(now(), 5);
        assert_eq!(purge(Some("http://A.example/one?utm_source=x#y")), 2);
        assert_eq!(purge(Some("http://a.example/two/")), 0);
        assert_eq!(purge(Some("https://a.example")), 1);
        assert_eq!(now(), 2);
        assert_eq!(purge(None), 2);
        assert_eq!(now(), 0);
        let left: Vec<_> = entries(&directory).unwrap().unwrap();
        assert_eq!(left, [directory.join(MARK)]);
        let mark: f64 = fs::read_to_string(&left[0]).unwrap().parse().unwrap();
        assert!(mark > 1_000_000_000.0, "{mark}");
        remove(&home, EPOCH, "www/wp-content", &watch).unwrap();
        assert!(!directory.exists() && directory.parent().unwrap().exists());
        assert_eq!(staged_names(&home), [""; 0]);
    }

    #[test]
    fn a_path_is_the_same_however_it_is_escaped() {
        let (dir, home) = home();
        let directory = dir.path().join("www/wp-content").join(DIRECTORY);
        fs::create_dir_all(dir.path().join("www/wp-content")).unwrap();
        let watch = Watch::unbounded();
        let purge = |url| purge(&home, EPOCH, "www", Some(url), &watch).unwrap();
        for url in [
            "http://a.example/t%C3%BCr/a%2fb/",
            "https://A.example/t%c3%bcr/a%2Fb",
            "http://a.example/tür/%61%2fb/",
        ] {
            // WordPress' way, a parser's, and as it is typed.
            page(&directory, "aa1.page", "http://a.example/t%c3%bcr/a%2fb/");
            page(&directory, "aa2.page", "http://a.example/t%C3%BCr/a%2Fb/");
            page(&directory, "aa3.page", "http://a.example/tür/a%2Fb/");
            assert_eq!(purge("http://a.example/t%c3%bcr/a/b/"), 0, "{url}");
            assert_eq!(purge("http://a.example/t%c3%bc/"), 0, "{url}");
            assert_eq!(purge(url), 3, "{url}");
        }
        // What is no escape is no reason to fail.
        page(&directory, "ab1.page", "http://a.example/100%/%zz/%c");
        assert_eq!(purge("http://a.example/100%/%zz/%c"), 1);
    }

    #[test]
    fn nothing_behind_a_link_is_touched() {
        let (dir, home) = home();
        let cache = dir.path().join("www/wp-content/cache");
        let outside = dir.path().join("outside");
        fs::create_dir_all(&cache).unwrap();
        page(&outside, "aa1.page", "http://a.example/");
        std::os::unix::fs::symlink(&outside, cache.join("pressroom")).unwrap();
        let watch = Watch::unbounded();
        assert_eq!(purge(&home, EPOCH, "www", None, &watch).unwrap(), 0);
        assert!(outside.join("pages/aa/1.page").exists());
    }
}
