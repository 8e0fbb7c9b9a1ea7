//! Puts the entries of an archive on disk, in a directory of our own.

use super::intake::{Attributes, Seen, Sink};
use crate::{Error, Result};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
};

/// Zeros from this many on become a hole.
const HOLE: usize = 32 * 1024;

/// A directory that entries are put into. Intake made sure that names are plain,
/// directories exist and nothing is there twice.
pub(super) struct Stage {
    base: PathBuf,
    open: Option<(PathBuf, File)>,
    hole: bool,
}

/// The bits of a mode that are taken from an archive: no set-id bits, nobody else's
/// writing. A directory stays its owner's to change, or it could not be taken away
/// again.
pub(super) fn clean_mode(mode: u32, directory: bool) -> u32 {
    let mode = mode & 0o775;
    if directory { mode | 0o700 } else { mode }
}

impl Stage {
    pub(super) fn new(base: &Path) -> Self {
        Self {
            base: base.to_owned(),
            open: None,
            hole: false,
        }
    }

    fn path(&self, path: &[u8]) -> PathBuf {
        self.base.join(OsStr::from_bytes(path))
    }

    /// Sets what only holds once nothing is written any more, the deepest first.
    pub(super) fn settle(&self, seen: &HashMap<Vec<u8>, Seen>) -> Result<()> {
        let mut directories = Vec::new();
        for (path, seen) in seen {
            if seen.content.is_directory() {
                directories.push((path, seen.attributes));
            } else if seen.restamped {
                let at = self.path(path);
                if matches!(seen.content, super::Content::File { .. }) {
                    set_mode(&at, clean_mode(seen.attributes.mode, false))?;
                }
                set_mtime(&at, seen.attributes.mtime)?;
            }
        }
        directories.sort_unstable_by(|a, b| b.0.cmp(a.0));
        for (path, attributes) in directories {
            let at = self.path(path);
            set_mode(&at, clean_mode(attributes.mode, true))?;
            set_mtime(&at, attributes.mtime)?;
        }
        Ok(())
    }
}

impl Sink for Stage {
    fn directory(&mut self, path: &[u8]) -> Result<()> {
        let path = self.path(path);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|why| Error::io("create", path, why))
    }

    fn begin(&mut self, path: &[u8]) -> Result<()> {
        let path = self.path(path);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|why| Error::io("create", &path, why))?;
        self.open = Some((path, file));
        self.hole = false;
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        let Some((path, file)) = &mut self.open else {
            return Ok(());
        };
        let written = if bytes.len() >= HOLE && bytes.iter().all(|byte| *byte == 0) {
            self.hole = true;
            let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            file.seek(SeekFrom::Current(length)).map(drop)
        } else {
            file.write_all(bytes)
        };
        written.map_err(|why| Error::io("write", path.clone(), why))
    }

    fn end(&mut self, attributes: Attributes) -> Result<()> {
        let Some((path, mut file)) = self.open.take() else {
            return Ok(());
        };
        let mut ended = || {
            if self.hole {
                let length = file.stream_position()?;
                file.set_len(length)?;
            }
            let mode = clean_mode(attributes.mode, false);
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            rustix::fs::futimens(&file, &times(attributes.mtime))?;
            io::Result::Ok(())
        };
        ended().map_err(|why| Error::io("write", path, why))
    }

    fn link(&mut self, path: &[u8], target: &[u8], mtime: u64) -> Result<()> {
        let path = self.path(path);
        symlink(OsStr::from_bytes(target), &path).map_err(|why| Error::io("create", &path, why))?;
        set_mtime(&path, mtime)
    }

    fn copy(&mut self, path: &[u8], from: &[u8], attributes: Attributes) -> Result<()> {
        let from = self.path(from);
        let mut input = File::open(&from).map_err(|why| Error::io("open", &from, why))?;
        self.begin(path)?;
        let mut buffer = vec![0; 128 * 1024];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => return self.end(attributes),
                Ok(count) => self.data(&buffer[..count])?,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(Error::io("read", from, why)),
            }
        }
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|why| Error::io("set the mode of", path, why))
}

/// Also of a link itself.
fn set_mtime(path: &Path, mtime: u64) -> Result<()> {
    rustix::fs::utimensat(CWD, path, &times(mtime), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|why| Error::io("set the time of", path, why.into()))
}

fn times(mtime: u64) -> Timestamps {
    let at = Timespec {
        tv_sec: i64::try_from(mtime).unwrap_or(0),
        tv_nsec: 0,
    };
    Timestamps {
        last_access: at,
        last_modification: at,
    }
}
