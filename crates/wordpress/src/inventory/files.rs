//! Looking at a site's directories, never through a link.

use crate::{Error, Result, home::Home};
use pressroom_phpdata::headers::HEADER_BYTES;
use rustix::{
    fs::{FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// A directory that is held open, so that a file in it costs no walk from the home.
pub(super) struct Dir {
    file: File,
    path: PathBuf,
}

/// What an entry of a directory is, of itself: a link is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
    Other,
}

impl Dir {
    /// Opens a directory of the home; `None` when there is none, it lies behind a
    /// link, or it may not be read: to WordPress too nothing is in it then.
    pub(super) fn open(home: &Home, path: &str) -> Result<Option<Self>> {
        let absolute = match home.resolve(path) {
            Ok(path) => path,
            Err(Error::BadPath(_)) => return Ok(None),
            Err(why) => return Err(why),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let base = File::open(home.path()).map_err(|why| Error::io("open", home.path(), why))?;
        let relative = if path.is_empty() { "." } else { path };
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let opened = match rustix::fs::openat2(&base, relative, flags, Mode::empty(), how) {
            // Old kernels and some sandboxes lack it.
            Err(Errno::NOSYS | Errno::PERM) => rustix::fs::open(&absolute, flags, Mode::empty()),
            other => other,
        };
        match opened {
            Ok(file) => Ok(Some(Self {
                file: file.into(),
                path: absolute,
            })),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => Ok(None),
            Err(why) => Err(Error::io("open", absolute, why.into())),
        }
    }

    /// Its entries in byte order, hidden ones too; names that are not UTF-8 cannot be
    /// told over the wire and are left out.
    pub(super) fn entries(&self) -> Result<Vec<(String, Kind)>> {
        let fail = |why: Errno| Error::io("list", &self.path, why.into());
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.file).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if matches!(name, "." | "..") {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                let found = rustix::fs::statat(
                    &self.file,
                    entry.file_name(),
                    rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
                );
                // Gone meanwhile is not there.
                let Ok(found) = found else { continue };
                kind = FileType::from_raw_mode(found.st_mode);
            }
            let kind = match kind {
                FileType::Directory => Kind::Directory,
                FileType::RegularFile => Kind::File,
                _ => Kind::Other,
            };
            entries.push((name.to_owned(), kind));
        }
        entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    }

    /// The part of a regular file in it that WordPress looks for headers in; `None`
    /// when there is no such file or it may not be read.
    pub(super) fn head(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.file, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT | Errno::LOOP | Errno::ACCESS | Errno::NXIO) => return Ok(None),
            Err(why) => return Err(Error::io("open", self.path.join(name), why.into())),
        };
        let fail = |why| Error::io("read", self.path.join(name), why);
        if !file.metadata().map_err(fail)?.is_file() {
            return Ok(None);
        }
        let limit = usize::try_from(HEADER_BYTES).unwrap_or(usize::MAX);
        // One more than is read, or reading to the end would ask for room first.
        let mut bytes = Vec::with_capacity(limit + 1);
        file.take(HEADER_BYTES)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
        Ok(Some(bytes))
    }
}

pub(super) fn is_php(name: &str) -> bool {
    name.len() > 4 && name.as_bytes().ends_with(b".php")
}

/// Names in a directory of the home in byte order, hidden ones left out; nothing
/// when it is not there.
pub(super) fn list(home: &Home, path: &str) -> Result<Vec<String>> {
    let Some(dir) = Dir::open(home, path)? else {
        return Ok(Vec::new());
    };
    let names = dir.entries()?.into_iter().map(|(name, _)| name);
    Ok(names.filter(|name| !name.starts_with('.')).collect())
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
