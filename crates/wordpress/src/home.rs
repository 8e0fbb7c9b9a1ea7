//! The directory of one hosted domain, which no path may leave.
//!
//! Callers name things by paths relative to the home. A path that is absolute,
//! climbs, or passes a symbolic link is refused: a site may plant links, and what
//! they point to is somebody else's. `.pressroom` is ours alone and cannot be
//! named from outside.

use crate::{Error, Result};
use rustix::fs::{Mode, OFlags, ResolveFlags};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Name of the directory that holds what Pressroom remembers at the site.
pub const STATE_DIR: &str = ".pressroom";
/// Where clones of rehearsals are, relative to the home; of what is ours the only places
/// that can be named.
pub(crate) const REHEARSALS: &str = ".pressroom/rehearsal";
/// The directories beside it that a site needs and that are ours to make.
pub const PRIVATE_DIRS: [&str; 3] = ["tmp", "logs", "sessions"];

/// An existing home directory, by its absolute path.
#[derive(Debug, Clone)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// Opens an existing home.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        if !path.is_absolute() {
            return Err(Error::BadPath(shown));
        }
        let found = fs::symlink_metadata(path).map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => Error::Missing(shown.clone()),
            _ => Error::io("open", path, why),
        })?;
        if !found.is_dir() {
            return Err(Error::BadPath(shown));
        }
        Ok(Self { path: path.into() })
    }

    /// The home itself, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The absolute path of something inside, which need not exist; `""` and `.`
    /// are the home itself.
    pub fn resolve(&self, relative: &str) -> Result<PathBuf> {
        let refuse = || Error::BadPath(relative.to_owned());
        let trimmed = relative.strip_suffix('/').unwrap_or(relative);
        if relative.starts_with('/') || relative.contains('\0') || relative.len() > 4096 {
            return Err(refuse());
        }
        let mut path = self.path.clone();
        if trimmed.is_empty() || trimmed == "." {
            return Ok(path);
        }
        let mut exists = true;
        for (depth, part) in trimmed.split('/').enumerate() {
            let ours = depth == 0 && part == STATE_DIR && !is_in_rehearsal(trimmed);
            if matches!(part, "" | "." | "..") || ours {
                return Err(refuse());
            }
            path.push(part);
            if exists {
                match fs::symlink_metadata(&path) {
                    Ok(found) if found.is_symlink() => return Err(refuse()),
                    Ok(_) => {}
                    Err(why) if why.kind() == io::ErrorKind::NotFound => exists = false,
                    Err(why) if why.kind() == io::ErrorKind::NotADirectory => {
                        return Err(refuse());
                    }
                    Err(why) => return Err(Error::io("look at", path, why)),
                }
            }
        }
        Ok(path)
    }

    /// Reads a regular file whole, or its first `limit` bytes; `None` when there is
    /// no such regular file.
    pub(crate) fn read_start(&self, relative: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let path = self.resolve(relative)?;
        let Some(file) = self.open_beneath(relative, &path)? else {
            return Ok(None);
        };
        let found = file
            .metadata()
            .map_err(|why| Error::io("look at", &path, why))?;
        if !found.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(|why| Error::io("read", &path, why))?;
        Ok(Some(bytes))
    }

    /// Opens a regular file for reading; `None` when there is no such regular file.
    pub(crate) fn open_file(&self, relative: &str) -> Result<Option<File>> {
        let path = self.resolve(relative)?;
        let file = self.open_beneath(relative, &path)?;
        Ok(file.filter(|file| file.metadata().is_ok_and(|found| found.is_file())))
    }

    /// Opens for reading without following a link even if one is planted between
    /// the check and the use, and without blocking on a fifo.
    fn open_beneath(&self, relative: &str, path: &Path) -> Result<Option<File>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let home = File::open(&self.path).map_err(|why| Error::io("open", &self.path, why))?;
        let opened = match rustix::fs::openat2(
            &home,
            relative,
            flags,
            Mode::empty(),
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
        ) {
            Ok(file) => Ok(File::from(file)),
            // Old kernels and some sandboxes lack openat2.
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => fs::OpenOptions::new()
                .read(true)
                .custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed())
                .open(path),
            Err(why) => Err(why.into()),
        };
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(why) if why.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                Err(Error::BadPath(relative.to_owned()))
            }
            Err(why) => Err(Error::io("open", path, why)),
        }
    }

    /// `.pressroom`, made on demand.
    pub fn state_dir(&self) -> Result<PathBuf> {
        let path = self.path.join(STATE_DIR);
        make_private_dir(&path)?;
        Ok(path)
    }

    /// A directory inside `.pressroom`, made on demand.
    pub(crate) fn state_subdir(&self, name: &str) -> Result<PathBuf> {
        let path = self.state_dir()?.join(name);
        make_private_dir(&path)?;
        Ok(path)
    }

    /// A directory inside `.pressroom`, which need not exist.
    pub(crate) fn state_path(&self, name: &str) -> PathBuf {
        self.path.join(STATE_DIR).join(name)
    }

    /// Makes what a hosted site needs beside its root.
    pub(crate) fn prepare(&self) -> Result<()> {
        for name in PRIVATE_DIRS {
            make_private_dir(&self.path.join(name))?;
        }
        Ok(())
    }

    /// How an absolute path inside is shown to people.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.path)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

/// Whether a path relative to a home is the WordPress of a rehearsal, or lies in it.
fn is_in_rehearsal(path: &str) -> bool {
    let rest = path
        .strip_prefix(REHEARSALS)
        .and_then(|rest| rest.strip_prefix('/'));
    rest.is_some_and(|rest| {
        let mut parts = rest.split('/');
        parts.next().is_some_and(is_rehearsal) && parts.next() == Some("site")
    })
}

/// Whether this is a name that a rehearsal gets: an epoch and eight hexadecimal digits.
pub(crate) fn is_rehearsal(handle: &str) -> bool {
    handle.split_once('-').is_some_and(|(epoch, random)| {
        (1..=19).contains(&epoch.len())
            && epoch.bytes().all(|byte| byte.is_ascii_digit())
            && random.len() == 8
            && random
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Makes a directory of mode 0700 unless there is a directory already; a link in
/// its place is refused.
fn make_private_dir(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(()),
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(path).map_err(|e| Error::io("look at", path, e))?;
            if found.is_dir() {
                Ok(())
            } else {
                Err(Error::BadPath(path.display().to_string()))
            }
        }
        Err(why) => Err(Error::io("create", path, why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn refuses_paths_that_leave_or_pass_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        symlink("/etc", dir.path().join("a/out")).unwrap();
        symlink("missing", dir.path().join("dangling")).unwrap();
        fs::write(dir.path().join("file"), "x").unwrap();
        for bad in [
            "/etc",
            "..",
            "a/../..",
            "a/..",
            "a//b",
            "./a",
            "a/./b",
            "a\0b",
            "a/out",
            "a/out/passwd",
            "dangling",
            ".pressroom",
            ".pressroom/lock",
            ".pressroom/rehearsal",
            ".pressroom/rehearsal/3-0123abcd",
            ".pressroom/rehearsal/3-0123abcd/record.json",
            ".pressroom/rehearsal/3-0123abcd/site/../php",
            ".pressroom/rehearsal/../site",
            ".pressroom/rehearsal/x/site",
            "file/below",
            "//",
        ] {
            assert!(
                matches!(home.resolve(bad), Err(Error::BadPath(_))),
                "{bad:?} was accepted"
            );
        }
        for good in [
            "",
            ".",
            "a",
            "a/",
            "new/deeper/still",
            "a/..hidden",
            "a/.pressroom",
            ".pressroom/rehearsal/3-0123abcd/site",
            ".pressroom/rehearsal/3-0123abcd/site/wp-content",
        ] {
            assert!(home.resolve(good).is_ok(), "{good:?} was refused");
        }
        assert!(home.read_start("a/out/passwd", 10).is_err());
    }

    #[test]
    fn state_is_private_and_never_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let state = home.state_dir().unwrap();
        assert_eq!(
            fs::metadata(&state).unwrap().permissions().mode() & 0o777,
            0o700
        );
        fs::remove_dir(&state).unwrap();
        symlink("/tmp", &state).unwrap();
        assert!(matches!(home.state_dir(), Err(Error::BadPath(_))));
    }

    #[test]
    fn a_fifo_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            dir.path().join("pipe"),
            Mode::from_raw_mode(0o600),
        )
        .unwrap();
        assert_eq!(home.read_start("pipe", 10).unwrap(), None);
        assert_eq!(home.read_start("absent", 10).unwrap(), None);
    }
}
