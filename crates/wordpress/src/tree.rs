//! The hash of a directory tree, computed alike from a disk and from a zip.
//!
//! Covered: relative paths in byte order, kind (file, directory that is empty,
//! symbolic link), file contents, link targets *as text* (never what they point
//! to). Not covered: owners, modes, times, which differ between hosts.
//!
//! # Encoding
//!
//! SHA-256 over the bytes `pressroom-tree-1\n` followed by one record per entry:
//! kind (one byte), length of the path (u32, big endian), path, and for `f` and `l`
//! the SHA-256 of the content or link text. Kinds: `f` file, `d` empty directory,
//! `l` symbolic link, and `p`, `s`, `b`, `c` for fifos, sockets and devices, which
//! are never opened. Paths use `/`; an empty directory's ends in one. Directories
//! that hold something are implied by their contents. Records come in byte order
//! of their paths, which is the order of a depth-first walk that compares
//! directories as if their names ended in `/`.

use crate::{
    Error, Result,
    home::Home,
    package::layout::{Item, Layout, TopFolder},
    watch::Watch,
};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read, Seek},
    os::fd::{BorrowedFd, OwnedFd},
    path::Path,
};

/// What a tree contains, in one comparable value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeHash {
    /// Lower-case hex SHA-256 over all entries.
    pub hash: String,
    /// Regular files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl TreeHash {
    /// Stands for a directory that is not there; its hash is the word `absent`.
    pub fn absent() -> Self {
        Self {
            hash: "absent".to_owned(),
            files: 0,
            bytes: 0,
        }
    }
}

/// Deeper trees are refused: each level costs an open directory.
const MAX_DEPTH: usize = 200;

/// Hashes a directory; `None` when it does not exist. A link in its place is
/// refused.
pub fn hash_dir(path: &Path, watch: &Watch) -> Result<Option<TreeHash>> {
    let dir = match rustix::fs::openat(CWD, path, DIRECTORY, Mode::empty()) {
        Ok(dir) => dir,
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
            return Err(Error::BadInput(format!(
                "`{}` is not a directory",
                path.display()
            )));
        }
        Err(why) => return Err(Error::io("open", path, why.into())),
    };
    let mut walk = Walk {
        hasher: TreeHasher::new(),
        base: path,
        watch,
    };
    walk.directory(&dir, &mut Vec::new(), 0)?;
    Ok(Some(walk.hasher.finish()))
}

/// Hashes one regular file as the tree that holds nothing else: the encoding above
/// with a single `f` record whose path is the file's name. `None` when it does not
/// exist; anything else of that name is refused.
pub fn hash_file(path: &Path, watch: &Watch) -> Result<Option<TreeHash>> {
    use std::os::unix::ffi::OsStrExt;
    let is_file = match std::fs::symlink_metadata(path) {
        Ok(found) => found.is_file(),
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::io("look at", path, why)),
    };
    let (Some(parent), Some(name), true) = (path.parent(), path.file_name(), is_file) else {
        return Err(Error::BadInput(format!(
            "`{}` is not a regular file",
            path.display()
        )));
    };
    let dir = rustix::fs::openat(CWD, parent, DIRECTORY, Mode::empty())
        .map_err(|why| Error::io("open", parent, why.into()))?;
    let mut walk = Walk {
        hasher: TreeHasher::new(),
        base: parent,
        watch,
    };
    walk.file(&dir, name.as_bytes(), name.as_bytes())?;
    Ok(Some(walk.hasher.finish()))
}

/// Hashes a directory of the home; `None` when it does not exist.
pub fn hash_at(home: &Home, path: &str, watch: &Watch) -> Result<Option<TreeHash>> {
    hash_dir(&home.resolve(path)?, watch)
}

/// Hashes what a zip would unpack to. `top` is stripped when every entry is below
/// it; a zip without that folder is hashed as it is.
pub fn hash_zip<R: Read + Seek>(zip: R, top: Option<&str>, watch: &Watch) -> Result<TreeHash> {
    let top = top.map_or(TopFolder::None, TopFolder::Maybe);
    let (layout, mut archive) = Layout::read(zip, top)?;
    layout.hash(&mut archive, watch)
}

/// Takes the entries of a tree in byte order of their paths.
pub(crate) struct TreeHasher {
    all: Sha256,
    files: u64,
    bytes: u64,
}

impl TreeHasher {
    pub(crate) fn new() -> Self {
        let mut all = Sha256::new();
        all.update(b"pressroom-tree-1\n");
        Self {
            all,
            files: 0,
            bytes: 0,
        }
    }

    fn entry(&mut self, kind: u8, path: &[u8]) {
        self.all.update([kind]);
        let length = u32::try_from(path.len()).unwrap_or(u32::MAX);
        self.all.update(length.to_be_bytes());
        self.all.update(path);
    }

    pub(crate) fn file(&mut self, path: &[u8], content: Sha256, bytes: u64) {
        self.hashed_file(path, &content.finalize(), bytes);
    }

    /// A file whose SHA-256 is known.
    pub(crate) fn hashed_file(&mut self, path: &[u8], sha256: &[u8], bytes: u64) {
        self.entry(b'f', path);
        self.all.update(sha256);
        self.files += 1;
        self.bytes += bytes;
    }

    /// `path` ends in `/`.
    pub(crate) fn empty_directory(&mut self, path: &[u8]) {
        self.entry(b'd', path);
    }

    pub(crate) fn link(&mut self, path: &[u8], target: &[u8]) {
        self.entry(b'l', path);
        self.all.update(Sha256::digest(target));
    }

    pub(crate) fn finish(self) -> TreeHash {
        TreeHash {
            hash: hex::encode(self.all.finalize()),
            files: self.files,
            bytes: self.bytes,
        }
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const CONTENT: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Walks by directory handles, so that a link planted meanwhile leads nowhere.
struct Walk<'a> {
    hasher: TreeHasher,
    base: &'a Path,
    watch: &'a Watch,
}

impl Walk<'_> {
    fn directory(&mut self, dir: &OwnedFd, path: &mut Vec<u8>, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::BadInput(format!(
                "`{}` is nested deeper than {MAX_DEPTH} directories",
                self.base.display()
            )));
        }
        let mut entries = Vec::new();
        for entry in Dir::read_from(dir).map_err(|why| self.failed("list", path, why))? {
            let entry = entry.map_err(|why| self.failed("list", path, why))?;
            let mut name = entry.file_name().to_bytes().to_vec();
            if name == b"." || name == b".." {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                let stat = rustix::fs::statat(dir, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(|why| self.failed("look at", path, why))?;
                kind = FileType::from_raw_mode(stat.st_mode);
            }
            if kind == FileType::Directory {
                name.push(b'/');
            }
            entries.push((name, kind));
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if entries.is_empty() && depth > 0 {
            self.hasher.empty_directory(path);
        }
        let length = path.len();
        for (name, kind) in entries {
            self.watch.check()?;
            path.extend_from_slice(&name);
            match kind {
                FileType::Directory => {
                    let plain = &name[..name.len() - 1];
                    let below = rustix::fs::openat(dir, plain, DIRECTORY, Mode::empty())
                        .map_err(|why| self.failed("open", path, why))?;
                    self.directory(&below, path, depth + 1)?;
                }
                FileType::Symlink => {
                    let target = rustix::fs::readlinkat(dir, name.as_slice(), Vec::new())
                        .map_err(|why| self.failed("read", path, why))?;
                    self.hasher.link(path, target.to_bytes());
                }
                FileType::RegularFile => {
                    self.file(dir, &name, path)?;
                }
                FileType::Fifo => self.hasher.entry(b'p', path),
                FileType::Socket => self.hasher.entry(b's', path),
                FileType::BlockDevice => self.hasher.entry(b'b', path),
                _ => self.hasher.entry(b'c', path),
            }
            path.truncate(length);
        }
        Ok(())
    }

    fn file(&mut self, dir: &OwnedFd, name: &[u8], path: &[u8]) -> Result<()> {
        use std::os::fd::AsFd;
        let handle: BorrowedFd<'_> = dir.as_fd();
        let opened = rustix::fs::openat(handle, name, CONTENT, Mode::empty())
            .map_err(|why| self.failed("open", path, why))?;
        let mut file = File::from(opened);
        let is_file = file
            .metadata()
            .map_err(|why| self.io("look at", path, why))?
            .is_file();
        if !is_file {
            return Err(self.io("read", path, io::ErrorKind::InvalidData.into()));
        }
        let mut content = Sha256::new();
        let mut buffer = [0; 16 * 1024];
        let mut bytes = 0;
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    content.update(&buffer[..count]);
                    bytes += count as u64;
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(self.io("read", path, why)),
            }
            self.watch.check()?;
        }
        self.hasher.file(path, content, bytes);
        Ok(())
    }

    fn failed(&self, act: &'static str, path: &[u8], why: rustix::io::Errno) -> Error {
        self.io(act, path, why.into())
    }

    fn io(&self, act: &'static str, path: &[u8], why: io::Error) -> Error {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
        Error::io(act, self.base.join(OsStr::from_bytes(path)), why)
    }
}

impl Layout {
    /// The hash of what unpacking would leave on disk.
    pub(crate) fn hash<R: Read + Seek>(
        &self,
        archive: &mut zip::ZipArchive<R>,
        watch: &Watch,
    ) -> Result<TreeHash> {
        let mut hasher = TreeHasher::new();
        let mut budget = self.budget();
        for (path, item) in &self.items {
            match item {
                Item::Directory => {
                    if self.is_empty_directory(path) {
                        hasher.empty_directory(path);
                    }
                }
                Item::File(index) => {
                    let mut content = Sha256::new();
                    let bytes = self.copy(archive, *index, path, &mut budget, watch, |part| {
                        content.update(part);
                        Ok(())
                    })?;
                    hasher.file(path, content, bytes);
                }
                Item::Link(index) => {
                    let mut target = Vec::new();
                    self.copy(archive, *index, path, &mut budget, watch, |part| {
                        target.extend_from_slice(part);
                        Ok(())
                    })?;
                    hasher.link(path, &target);
                }
            }
        }
        Ok(hasher.finish())
    }
}

#[cfg(test)]
mod tests;
