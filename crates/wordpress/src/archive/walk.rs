//! Lists a tree by directory handles, so that a link planted meanwhile leads
//! nowhere, in the order of [`crate::tree`].

use super::{
    excludes::Excludes,
    manifest::Why,
    names::{self, Rules},
};
use crate::{Error, Result, watch::Watch};
use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat},
    io::Errno,
};
use std::{
    ffi::OsStr,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    sync::Arc,
};

/// Something found in a tree.
#[derive(Debug)]
pub(crate) struct Item {
    /// Relative to the tree, no slash at its end; empty for the tree itself.
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Kind {
    Directory {
        mode: u32,
        mtime: u64,
    },
    Link {
        target: Vec<u8>,
        mtime: u64,
    },
    /// To be opened by its name in the directory.
    File {
        dir: Arc<OwnedFd>,
        name: Vec<u8>,
    },
    LeftOut(Why),
}

pub(crate) const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// What [`walk`] needs to know.
pub(crate) struct Walk<'a> {
    pub(crate) base: &'a Path,
    pub(crate) excludes: &'a Excludes,
    /// Paths that are left out as ours.
    pub(crate) ours: &'a [Vec<u8>],
    pub(crate) rules: Rules,
    pub(crate) watch: &'a Watch,
}

/// Hands out everything in a tree, a directory before what is in it, until `give`
/// says that nobody wants more. A missing tree is an error, a directory that goes
/// away meanwhile is left out.
pub(crate) fn walk(what: &Walk<'_>, give: &mut dyn FnMut(Item) -> bool) -> Result<()> {
    let dir = match rustix::fs::openat(CWD, what.base, DIRECTORY, Mode::empty()) {
        Ok(dir) => dir,
        Err(Errno::NOENT) => return Err(Error::Missing(what.base.display().to_string())),
        Err(Errno::NOTDIR | Errno::LOOP) => {
            return Err(Error::BadInput(format!(
                "`{}` is not a directory",
                what.base.display()
            )));
        }
        Err(why) => return Err(Error::io("open", what.base, why.into())),
    };
    Walker { what, give }
        .directory(dir, &mut Vec::new())
        .map(drop)
}

struct Walker<'a> {
    what: &'a Walk<'a>,
    give: &'a mut dyn FnMut(Item) -> bool,
}

impl Walker<'_> {
    /// False once nobody wants more.
    fn directory(&mut self, dir: OwnedFd, path: &mut Vec<u8>) -> Result<bool> {
        let stat = rustix::fs::fstat(&dir).map_err(|why| self.failed("look at", path, why))?;
        let kind = Kind::Directory {
            mode: mode_of(&stat),
            mtime: mtime_of(&stat),
        };
        if !self.give(path, kind) {
            return Ok(false);
        }
        let entries = match list(&dir) {
            Ok(entries) => entries,
            Err(why) if path.is_empty() => return Err(self.failed("list", path, why)),
            Err(why) => return Ok(self.give(path, Kind::LeftOut(unreadable(why)))),
        };
        let dir = Arc::new(dir);
        let length = path.len();
        for (name, kind) in entries {
            self.what.watch.check()?;
            if length > 0 {
                path.push(b'/');
            }
            let is_dir = kind == FileType::Directory;
            path.extend_from_slice(&name[..name.len() - usize::from(is_dir)]);
            let wanted = self.entry(&dir, &name, kind, path)?;
            path.truncate(length);
            if !wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn entry(
        &mut self,
        dir: &Arc<OwnedFd>,
        name: &[u8],
        kind: FileType,
        path: &mut Vec<u8>,
    ) -> Result<bool> {
        let left_out = if self.what.ours.contains(path) {
            Some(Why::Ours)
        } else if let Some(pattern) = self.what.excludes.matching(path) {
            Some(Why::Excluded {
                pattern: pattern.to_owned(),
            })
        } else if !names::short(path) {
            Some(Why::TooLong)
        } else if !names::fits(path, self.what.rules) {
            Some(Why::Name)
        } else {
            match kind {
                FileType::Fifo => Some(Why::Fifo),
                FileType::Socket => Some(Why::Socket),
                FileType::BlockDevice | FileType::CharacterDevice => Some(Why::Device),
                _ => None,
            }
        };
        if let Some(why) = left_out {
            return Ok(self.give(path, Kind::LeftOut(why)));
        }
        let found = match kind {
            FileType::Directory => {
                let plain = &name[..name.len() - 1];
                match rustix::fs::openat(dir, plain, DIRECTORY, Mode::empty()) {
                    Ok(below) => return self.directory(below, path),
                    Err(why) => Kind::LeftOut(unreadable(why)),
                }
            }
            FileType::Symlink => match read_link(dir, name) {
                Ok((target, mtime)) => {
                    if self.what.rules == Rules::Zip && std::str::from_utf8(&target).is_err() {
                        Kind::LeftOut(Why::Name)
                    } else {
                        Kind::Link { target, mtime }
                    }
                }
                Err(why) => Kind::LeftOut(unreadable(why)),
            },
            _ => Kind::File {
                dir: Arc::clone(dir),
                name: name.to_vec(),
            },
        };
        Ok(self.give(path, found))
    }

    fn give(&mut self, path: &[u8], kind: Kind) -> bool {
        (self.give)(Item {
            path: path.to_vec(),
            kind,
        })
    }

    fn failed(&self, act: &'static str, path: &[u8], why: Errno) -> Error {
        Error::io(
            act,
            self.what.base.join(OsStr::from_bytes(path)),
            why.into(),
        )
    }
}

/// The names in a directory, those of directories with a slash, sorted.
fn list(dir: &OwnedFd) -> rustix::io::Result<Vec<(Vec<u8>, FileType)>> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let mut name = entry.file_name().to_bytes().to_vec();
        if name == b"." || name == b".." {
            continue;
        }
        let mut kind = entry.file_type();
        if kind == FileType::Unknown {
            kind = match rustix::fs::statat(dir, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(Errno::NOENT) => continue,
                Err(why) => return Err(why),
            };
        }
        if kind == FileType::Directory {
            name.push(b'/');
        }
        entries.push((name, kind));
    }
    entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

fn read_link(dir: &OwnedFd, name: &[u8]) -> rustix::io::Result<(Vec<u8>, u64)> {
    let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let target = rustix::fs::readlinkat(dir, name, Vec::new())?;
    Ok((target.into_bytes(), mtime_of(&stat)))
}

pub(crate) fn unreadable(why: Errno) -> Why {
    match why {
        // Gone, or something else by now.
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO | Errno::STALE => Why::Vanished,
        why => Why::Unreadable {
            message: std::io::Error::from(why).to_string(),
        },
    }
}

pub(crate) fn mode_of(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

pub(crate) fn mtime_of(stat: &Stat) -> u64 {
    u64::try_from(stat.st_mtime).unwrap_or(0)
}
