//! Installs below a directory.

use crate::{
    Error, Result,
    config::{self, below},
    home::{Home, STATE_DIR},
    inventory,
    watch::Watch,
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, fs, io};

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The installs, by path.
    pub installs: Vec<FoundInstall>,
    /// Whether everything within the depth was looked at. Directories that may not be
    /// read, and those beyond [`MAX_DIRECTORIES`] or [`MAX_INSTALLS`], were not.
    pub complete: bool,
}

/// A WordPress on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundInstall {
    /// Its directory, relative to the home; empty for the home itself.
    pub root: String,
    /// `$wp_version`; `None` when it cannot be read.
    pub version: Option<String>,
    /// `$wp_local_package`, or `en_US`.
    pub locale: String,
    /// Its `wp-config.php`, relative to the home, when there is one.
    pub config: Option<String>,
    /// Whether that lies one level above.
    pub config_above: bool,
    /// The install that this one lies in, by its root.
    pub inside: Option<String>,
}

/// So many directories are looked into.
pub const MAX_DIRECTORIES: usize = 50_000;
/// So many installs are told.
pub const MAX_INSTALLS: usize = 1000;
/// Directories that hold code of other programs, and much of it.
const PASSED_OVER: [&str; 4] = ["node_modules", "vendor", "bower_components", "cgi-bin"];
/// WordPress' own directories, in which other installs are backups and the like.
const OF_WORDPRESS: [&str; 3] = ["wp-admin", "wp-includes", "wp-content"];

/// Finds the installs in `below_dir` and the directories in it, down to `depth`
/// levels (0: only `below_dir` itself). A directory is an install when it holds
/// `wp-includes/version.php` and one of `wp-load.php` and `wp-settings.php`.
///
/// Links are not followed, hidden directories and those of other programs passed
/// over, as are the directories of an install that are WordPress' own.
pub fn find(home: &Home, below_dir: &str, depth: usize, watch: &Watch) -> Result<Found> {
    let start = config::plain_root(below_dir).to_owned();
    if !home.resolve(&start)?.is_dir() {
        return Err(Error::Missing(start));
    }
    let mut found = Found {
        complete: true,
        ..Found::default()
    };
    let mut open: VecDeque<(String, usize, Option<String>)> = VecDeque::new();
    open.push_back((start, 0, None));
    let mut looked_at = 0_usize;
    while let Some((dir, level, mut inside)) = open.pop_front() {
        watch.check()?;
        looked_at += 1;
        if looked_at > MAX_DIRECTORIES || found.installs.len() >= MAX_INSTALLS {
            found.complete = false;
            break;
        }
        let install = is_install(home, &dir)?;
        if install {
            found.installs.push(look(home, &dir, inside.as_deref())?);
            inside = Some(dir.clone());
        }
        if level >= depth {
            continue;
        }
        let Some(names) = directories(home, &dir)? else {
            found.complete = false;
            continue;
        };
        for name in names {
            let passed = PASSED_OVER.contains(&name.as_str())
                || name == STATE_DIR
                || (install && OF_WORDPRESS.contains(&name.as_str()));
            if !passed {
                open.push_back((below(&dir, &name), level + 1, inside.clone()));
            }
        }
    }
    found
        .installs
        .sort_by(|one, other| one.root.cmp(&other.root));
    Ok(found)
}

fn is_install(home: &Home, dir: &str) -> Result<bool> {
    let is_file = |name: &str| -> Result<bool> {
        match home.resolve(&below(dir, name)) {
            Ok(path) => Ok(fs::symlink_metadata(path).is_ok_and(|found| found.is_file())),
            Err(Error::BadPath(_)) => Ok(false),
            Err(why) => Err(why),
        }
    };
    Ok((is_file("wp-load.php")? || is_file("wp-settings.php")?)
        && is_file("wp-includes/version.php")?)
}

fn look(home: &Home, root: &str, inside: Option<&str>) -> Result<FoundInstall> {
    let core = inventory::core_facts(home, root)?;
    let config = match config::locate(home, root) {
        Ok(located) => Some((located.path, located.above)),
        // A link, a file that may not be read or is absurdly large: not ours to tell.
        Err(Error::Missing(_) | Error::BadPath(_) | Error::Io { .. } | Error::BadInput(_)) => None,
        Err(why) => return Err(why),
    };
    Ok(FoundInstall {
        root: root.to_owned(),
        version: core.version,
        locale: core.locale,
        config_above: config.as_ref().is_some_and(|(_, above)| *above),
        config: config.map(|(path, _)| path),
        inside: inside.map(str::to_owned),
    })
}

/// Names of the directories in a directory, hidden ones and links left out; `None`
/// when it may not be read.
fn directories(home: &Home, dir: &str) -> Result<Option<Vec<String>>> {
    let path = match home.resolve(dir) {
        Ok(path) => path,
        // It became a link meanwhile.
        Err(Error::BadPath(_)) => return Ok(Some(Vec::new())),
        Err(why) => return Err(why),
    };
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Some(Vec::new())),
        Err(why) if why.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(why) => return Err(Error::io("list", path, why)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|why| Error::io("list", &path, why))?;
        // Of the entry itself, not of what a link points to.
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir
            && let Ok(name) = entry.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(Some(names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::fs::symlink, path::Path};

    fn install(base: &Path, version: &str) {
        fs::create_dir_all(base.join("wp-includes")).unwrap();
        fs::create_dir_all(base.join("wp-content/uploads")).unwrap();
        fs::write(base.join("wp-load.php"), "<?php").unwrap();
        fs::write(base.join("wp-settings.php"), "<?php").unwrap();
        let file = format!("<?php $wp_version = '{version}';");
        fs::write(base.join("wp-includes/version.php"), file).unwrap();
    }

    #[test]
    fn finds_installs_where_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let base = dir.path();
        install(&base.join("public_html"), "6.5.5");
        install(&base.join("public_html/blog"), "6.4");
        install(&base.join("above/wp"), "6.1");
        install(&base.join("public_html/wp-content/backup"), "1");
        install(&base.join("public_html/blog/wp-content/uploads/x"), "1");
        install(&base.join("node_modules/x"), "1");
        install(&base.join(".hidden/x"), "1");
        install(&base.join("a/b/c/d"), "6.0");
        let outside = tempfile::tempdir().unwrap();
        install(outside.path(), "9");
        symlink(outside.path(), base.join("linked")).unwrap();
        symlink(base, base.join("public_html/loop")).unwrap();
        fs::write(base.join("above/wp-config.php"), "<?php").unwrap();
        fs::write(base.join("public_html/wp-config.php"), "<?php").unwrap();
        // Half a WordPress is none.
        fs::create_dir_all(base.join("half/wp-includes")).unwrap();
        fs::write(base.join("half/wp-load.php"), "").unwrap();

        let watch = Watch::unbounded();
        let found = find(&home, "", 3, &watch).unwrap();
        assert!(found.complete);
        let seen: Vec<_> = found
            .installs
            .iter()
            .map(|it| {
                (
                    it.root.as_str(),
                    it.version.as_deref().unwrap_or_default(),
                    it.config.as_deref().unwrap_or_default(),
                    it.config_above,
                    it.inside.as_deref().unwrap_or_default(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("above/wp", "6.1", "above/wp-config.php", true, ""),
                (
                    "public_html",
                    "6.5.5",
                    "public_html/wp-config.php",
                    false,
                    ""
                ),
                // What lies in another install has its own configuration or none.
                ("public_html/blog", "6.4", "", false, "public_html"),
            ]
        );
        let deeper = find(&home, "a", 3, &watch).unwrap();
        assert_eq!(deeper.installs[0].root, "a/b/c/d");
        assert_eq!(find(&home, "a", 2, &watch).unwrap().installs, []);
        assert_eq!(
            find(&home, "public_html", 0, &watch)
                .unwrap()
                .installs
                .len(),
            1
        );
        assert!(matches!(
            find(&home, "no", 1, &watch),
            Err(Error::Missing(_))
        ));
        assert!(find(&home, "linked", 1, &watch).is_err());
        let gone = Watch::unbounded();
        gone.cancel();
        assert!(matches!(find(&home, "", 3, &gone), Err(Error::Cancelled)));
    }
}
