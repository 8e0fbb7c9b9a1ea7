//! Where a WordPress has its configuration.

use super::FILE;
use crate::{Error, Result, disk, home::Home};
use pressroom_phpdata::wp_config::Place;
use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// More than any configuration; beyond it a file is not looked at.
const MAX_FILE: u64 = 1024 * 1024;

/// A configuration that was found.
pub(crate) struct Located {
    /// Relative to the home.
    pub(crate) path: String,
    /// It lies one level above WordPress.
    pub(crate) above: bool,
    pub(crate) bytes: Vec<u8>,
    pub(crate) place: Place,
}

/// Finds `wp-config.php` where `wp-load.php` does: in `root`, or one level above
/// unless another WordPress is there.
pub(crate) fn locate(home: &Home, root: &str) -> Result<Located> {
    let root = plain_root(root);
    let own = below(root, FILE);
    if let Some(bytes) = read(home, &own)? {
        return Ok(found(home, root, own, false, bytes));
    }
    // Above the home itself nothing is this site's.
    if !root.is_empty() {
        let parent = root.rsplit_once('/').map_or("", |(parent, _)| parent);
        let above = below(parent, FILE);
        if !disk::exists(&home.resolve(&below(parent, "wp-settings.php"))?)?
            && let Some(bytes) = read(home, &above)?
        {
            return Ok(found(home, root, above, true, bytes));
        }
    }
    Err(Error::Missing(own))
}

fn read(home: &Home, path: &str) -> Result<Option<Vec<u8>>> {
    let bytes = home.read_start(path, MAX_FILE + 1)?;
    if bytes.as_ref().is_some_and(|it| it.len() as u64 > MAX_FILE) {
        return Err(Error::BadInput(format!("`{path}` is larger than 1 MB")));
    }
    Ok(bytes)
}

fn found(home: &Home, root: &str, path: String, above: bool, bytes: Vec<u8>) -> Located {
    let base = real(home);
    let mut abspath = base.join(root).as_os_str().as_bytes().to_vec();
    if abspath.last() != Some(&b'/') {
        abspath.push(b'/');
    }
    let file = base.join(&path).as_os_str().as_bytes().to_vec();
    Located {
        path,
        above,
        bytes,
        place: Place { file, abspath },
    }
}

/// The home's path as PHP tells it in `__DIR__`: without links on the way to it.
pub(crate) fn real(home: &Home) -> PathBuf {
    std::fs::canonicalize(home.path()).unwrap_or_else(|_| home.path().to_path_buf())
}

/// A directory without the forms that mean the home itself.
pub(crate) fn plain_root(root: &str) -> &str {
    match root.trim_end_matches('/') {
        "." => "",
        root => root,
    }
}

/// A path below a directory, both relative to the home.
pub(crate) fn below(root: &str, path: &str) -> String {
    match plain_root(root) {
        "" => path.to_owned(),
        root => format!("{root}/{path}"),
    }
}

/// A path as a site names it, relative to the home; `None` when it lies elsewhere.
/// `.` and `..` are taken as text: links on the way are refused when it is used.
pub(crate) fn inside(home: &Home, absolute: &str) -> Option<String> {
    if !absolute.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in absolute.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = PathBuf::from(format!("/{}", parts.join("/")));
    let strip = |base: &Path| {
        let rest = path.strip_prefix(base).ok()?;
        Some(rest.to_str()?.to_owned())
    };
    strip(home.path()).or_else(|| strip(&real(home)))
}
