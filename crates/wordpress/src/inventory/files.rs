//! Looking at a site's directories, never through a link.

use crate::{Error, Result, home::Home};
use pressroom_phpdata::headers::HEADER_BYTES;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

pub(super) fn is_php(name: &str) -> bool {
    name.len() > 4 && name.as_bytes().ends_with(b".php")
}

/// Names in a directory of the home in byte order, hidden ones left out; nothing
/// when it is not there.
pub(super) fn list(home: &Home, path: &str) -> Result<Vec<String>> {
    let mut names = list_all(home, path)?;
    names.retain(|name| !name.starts_with('.'));
    Ok(names)
}

/// As [`list`], with hidden ones.
pub(super) fn list_all(home: &Home, path: &str) -> Result<Vec<String>> {
    match home.resolve(path) {
        Ok(path) => names_in(&path),
        Err(Error::BadPath(_)) => Ok(Vec::new()),
        Err(why) => Err(why),
    }
}

pub(super) fn names_in(dir: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(why)
            if matches!(
                why.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(why) => return Err(Error::io("list", dir, why)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|why| Error::io("list", dir, why))?;
        // Names that are not UTF-8 cannot be told over the wire; WordPress itself
        // cannot store them either.
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether a path is a directory (`true`) or a regular file (`false`).
pub(super) fn kind_of(home: &Home, path: &str) -> Result<Option<bool>> {
    let path = match home.resolve(path) {
        Ok(path) => path,
        Err(Error::BadPath(_)) => return Ok(None),
        Err(why) => return Err(why),
    };
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() => Ok(Some(true)),
        Ok(found) if found.is_file() => Ok(Some(false)),
        Ok(_) => Ok(None),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Error::io("look at", path, why)),
    }
}

/// The part of a file that WordPress looks for headers in. A file that cannot be
/// read has none, for WordPress as for us.
pub(super) fn head(home: &Home, path: &str) -> Result<Option<Vec<u8>>> {
    match home.read_start(path, HEADER_BYTES) {
        Err(Error::BadPath(_)) => Ok(None),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            Ok(None)
        }
        other => other,
    }
}

/// As [`head`], for a file of a package that was unpacked just now.
pub(super) fn read_head(path: &Path) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file
            .take(HEADER_BYTES)
            .read_to_end(&mut bytes)
            .map_err(|why| Error::io("read", path, why))?,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::io("open", path, why)),
    };
    Ok(Some(bytes))
}
