//! The must-use file that gives the login page an address of its own.

use crate::{Error, Result, config::Directories, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt};

const PHP: &str = include_str!("hide-login.php");
const FILE: &str = "pressroom-hide-login.php";
/// How ours begins.
const MARK: &str = "<?php\n/**\n * Plugin Name: Pressroom hidden login\n";
const SLUG: &str = " * Login address: ";
const BY_QUERY: &str = " * Address form: query";
const MAX_FILE: u64 = 64 * 1024;

/// Whether the login page has an address of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum HiddenLogin {
    /// Our file is not there.
    Off,
    /// Our file is there.
    On {
        /// The last part of the address.
        slug: String,
        /// Whether that is `/?slug` everywhere, and not `/slug/` where permalinks are so.
        #[serde(default)]
        by_query: bool,
    },
    /// Somebody else's file has its name.
    Foreign,
}

/// What is there.
pub(super) fn look(home: &Home, root: &str) -> Result<HiddenLogin> {
    let Some(path) = path(home, root) else {
        return Ok(HiddenLogin::Off);
    };
    let found = match home.read_start(&path, MAX_FILE) {
        Ok(Some(found)) => found,
        Ok(None) => {
            return Ok(if disk::exists(&home.resolve(&path)?)? {
                HiddenLogin::Foreign
            } else {
                HiddenLogin::Off
            });
        }
        // A link is not ours.
        Err(Error::BadPath(_)) => return Ok(HiddenLogin::Foreign),
        Err(why) => return Err(why),
    };
    let text = String::from_utf8_lossy(&found);
    let slug = text
        .strip_prefix(MARK)
        .and_then(|rest| rest.lines().find_map(|line| line.strip_prefix(SLUG)))
        .filter(|slug| is_slug(slug));
    Ok(match slug {
        Some(slug) => HiddenLogin::On {
            slug: slug.to_owned(),
            by_query: text.lines().any(|line| line == BY_QUERY),
        },
        None => HiddenLogin::Foreign,
    })
}

/// Puts our file there, in place of ours alone.
pub(super) fn put(
    home: &Home,
    epoch: Epoch,
    root: &str,
    slug: &str,
    by_query: bool,
    watch: &Watch,
) -> Result<()> {
    if !is_slug(slug) {
        return Err(Error::BadInput(format!("`{slug}` cannot be an address")));
    }
    let directories = Directories::told(home, root);
    let container = directories.must_use.reachable()?.to_owned();
    let in_the_way = crate::config::below(root, slug);
    if disk::exists(&home.resolve(&in_the_way)?)? {
        return Err(Error::BadInput(format!(
            "the site has a file or directory `{slug}`"
        )));
    }
    let dir = home.resolve(&container)?;
    let path = dir.join(FILE);
    let aside = package::aside(home, epoch)?;
    let form = if by_query { "query" } else { "path" };
    let code = PHP.replace("@SLUG@", slug).replace("@FORM@", form);
    disk::write_aside(&aside, code.as_bytes(), 0o644)?;
    let placed = fence::critical(home, epoch, watch, || {
        if look(home, root)? == HiddenLogin::Foreign {
            return Err(Error::Occupied(format!("{container}/{FILE}")));
        }
        match DirBuilder::new().mode(0o755).create(&dir) {
            Err(why) if why.kind() != io::ErrorKind::AlreadyExists => {
                Err(Error::io("create", &dir, why))
            }
            _ => disk::put_in_place(&aside, &path),
        }
    });
    if placed.is_err() {
        disk::remove_file(&aside)?;
    }
    placed
}

/// Removes our file, and no other.
pub(super) fn remove(home: &Home, epoch: Epoch, root: &str, watch: &Watch) -> Result<()> {
    fence::critical(home, epoch, watch, || {
        match (look(home, root)?, path(home, root)) {
            (HiddenLogin::On { .. }, Some(path)) => disk::remove_file(&home.resolve(&path)?),
            _ => Ok(()),
        }
    })
}

/// Relative to the home; `None` where must-use plugins are elsewhere.
fn path(home: &Home, root: &str) -> Option<String> {
    let directories = Directories::told(home, root);
    Some(format!("{}/{FILE}", directories.must_use.path()?))
}

fn is_slug(slug: &str) -> bool {
    (3..=40).contains(&slug.len())
        && slug
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample::{EPOCH, home, staged_names};
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn ours_comes_changes_and_goes() {
        let (dir, home) = home();
        let watch = Watch::unbounded();
        fs::create_dir_all(dir.path().join("www/wp-content")).unwrap();
        assert_eq!(look(&home, "www").unwrap(), HiddenLogin::Off);
        remove(&home, EPOCH, "www", &watch).unwrap();
        let file = dir.path().join("www/wp-content/mu-plugins").join(FILE);
        for (slug, by_query) in [
            ("side-door", false),
            ("side-door", true),
            ("other-9", false),
        ] {
            put(&home, EPOCH, "www", slug, by_query, &watch).unwrap();
            let on = HiddenLogin::On {
                slug: slug.into(),
                by_query,
            };
            assert_eq!(look(&home, "www").unwrap(), on);
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(&format!("const SLUG = '{slug}';")));
            assert!(!text.contains('@'), "{text}");
        }
        for _ in 0..2 {
            remove(&home, EPOCH, "www", &watch).unwrap();
            assert!(!file.exists());
        }
        fs::create_dir(dir.path().join("www/shop")).unwrap();
        for bad in ["shop", "a", "Door", "a'b", "../door", "wp login"] {
            assert!(
                put(&home, EPOCH, "www", bad, false, &watch).is_err(),
                "{bad}"
            );
        }
        assert!(!file.exists());
        assert_eq!(staged_names(&home), [""; 0]);
    }

    #[test]
    fn what_somebody_else_wrote_stays() {
        let (dir, home) = home();
        let watch = Watch::unbounded();
        let container = dir.path().join("www/wp-content/mu-plugins");
        fs::create_dir_all(&container).unwrap();
        let file = container.join(FILE);
        let refused = || {
            assert_eq!(look(&home, "www").unwrap(), HiddenLogin::Foreign);
            let put = put(&home, EPOCH, "www", "side-door", false, &watch);
            assert!(matches!(put, Err(Error::Occupied(_))), "{put:?}");
            remove(&home, EPOCH, "www", &watch).unwrap();
        };
        fs::write(&file, "<?php // mine").unwrap();
        refused();
        assert_eq!(fs::read_to_string(&file).unwrap(), "<?php // mine");
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        refused();
        fs::remove_dir(&file).unwrap();
        symlink("/etc/hostname", &file).unwrap();
        refused();
        assert!(file.is_symlink());
    }

    #[test]
    fn it_is_sound_php() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        fs::write(&path, PHP).unwrap();
        let output = std::process::Command::new("php")
            .args(["-n", "-l"])
            .arg(&path)
            .output()
            .expect("php is installed");
        assert!(output.status.success(), "{output:?}");
        assert!(PHP.starts_with(MARK));
    }
}
