//! Compiled PHP kept between runs, without ever running stale code.
//!
//! PHP's OPcache can keep what it compiled in files: `<cache>/<build>/<path>.bin`. It
//! believes such a file while the *modification time* of the source is the same
//! second. A swap of a component preserves the times of its package, and packages of
//! two versions may carry equal ones, so that is not enough. What nobody can set is
//! the *change time* (`ctime`) of an inode, and two files that are there together have
//! two inodes.
//!
//! - After a run that ended well, each new `.bin` gets a modification time that is made
//!   of its source's ctime, inode and size, provided that neither the source nor a
//!   directory above it changed since the run began (then it may be the compilation
//!   of what was there before, and is removed).
//! - Before a run, a `.bin` whose time is not the one of its source is removed.
//! - One run at a time uses the cache; another one at the same moment goes without.
//! - A run that was killed leaves the file `running`, and the next starts with an empty
//!   cache in a directory of another name, where nothing of a forgotten PHP can appear.
//!
//! Times are all of the site's own file system, `running` giving the time of the
//! start. The cache is the site user's own (0700) and holds nothing that the
//! user's PHP could not do anyway. Any trouble here means a run without it.

use crate::{Result, disk, home::Home};
use rustix::fs::{FlockOperation, OFlags};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, DirBuilder, File, FileTimes, OpenOptions},
    io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

const DIR: &str = "opcache";
const RUNNING: &str = "running";
/// More than this and the cache starts anew; a plain WordPress takes 20 MB, one with 30
/// big plugins 70.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// A tree deeper than this was not made by PHP from sane paths.
const DEEPEST: usize = 64;

/// The cache, ours alone until dropped.
pub(super) struct Cache {
    top: PathBuf,
    home: PathBuf,
    dir: PathBuf,
    started: Stamp,
    lock: File,
}

/// Seconds and nanoseconds.
type Stamp = (i64, i64);

impl Cache {
    /// Opens and sweeps it; `None` when somebody else has it or it cannot be had.
    pub(super) fn open(home: &Home) -> Option<Self> {
        Self::try_open(home).ok().flatten()
    }

    fn try_open(home: &Home) -> Result<Option<Self>> {
        let top = home.state_subdir(DIR)?;
        let trouble = |why| crate::Error::io("open", &top, why);
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(top.join("lock"))
            .map_err(trouble)?;
        if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(None);
        }
        let running = top.join(RUNNING);
        let mut kept = None;
        let killed = disk::exists(&running)?;
        for entry in fs::read_dir(&top).map_err(trouble)? {
            let entry = entry.map_err(trouble)?;
            if !entry.file_type().map_err(trouble)?.is_dir() {
                continue;
            }
            if killed || kept.is_some() {
                disk::remove_tree(&entry.path())?;
            } else {
                kept = Some(entry.path());
            }
        }
        // A new inode each time: its times are those of this start.
        match fs::remove_file(&running) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(trouble(why)),
            _ => {}
        }
        let marker = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&running)
            .and_then(|file| file.metadata())
            .map_err(trouble)?;
        let mut cache = Self {
            dir: top.join(super::nonce()?),
            top,
            home: home.path().to_owned(),
            started: changed(&marker),
            lock,
        };
        if let Some(dir) = kept {
            if Self::sweep(&dir)? > MOST_BYTES {
                disk::remove_tree(&dir)?;
            } else {
                cache.dir = dir;
                return Ok(Some(cache));
            }
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&cache.dir)
            .map_err(|why| crate::Error::io("create", &cache.dir, why))?;
        Ok(Some(cache))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// After a run that ended by itself: makes what is new believable or removes it.
    pub(super) fn settle(self) {
        // What fails here leaves `running`, and with it an empty cache.
        if self.bless().is_ok() {
            let _ = fs::remove_file(self.top.join(RUNNING));
        }
    }

    /// Removes what is not the compilation of the file that is there now; the bytes
    /// that stay.
    fn sweep(dir: &Path) -> Result<u64> {
        let mut bytes = 0;
        each_bin(dir, &mut |bin, found, source| {
            let same = fs::metadata(source).is_ok_and(|now| mark(&now) == modified(found));
            if same {
                bytes += found.len();
                Ok(())
            } else {
                disk_remove(bin)
            }
        })?;
        Ok(bytes)
    }

    fn bless(&self) -> Result<()> {
        let mut quiet = HashMap::new();
        each_bin(&self.dir, &mut |bin, found, source| {
            if modified(found) < self.started {
                return Ok(());
            }
            let known = fs::metadata(source).ok().and_then(|now| {
                let quiet = changed(&now) < self.started && self.is_quiet(source, &mut quiet);
                quiet.then(|| mark(&now))
            });
            match known.and_then(time) {
                Some(mark) => File::options()
                    .write(true)
                    .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
                    .open(bin)
                    .and_then(|file| file.set_times(FileTimes::new().set_modified(mark)))
                    .map_err(|why| crate::Error::io("write", bin, why)),
                None => disk_remove(bin),
            }
        })
    }

    /// Whether no directory between the home and this file changed since the start:
    /// nothing was put in another's place.
    fn is_quiet(&self, source: &Path, known: &mut HashMap<PathBuf, bool>) -> bool {
        // The script's own name says its content.
        if source.starts_with(self.home.join(crate::home::STATE_DIR)) {
            return true;
        }
        source
            .ancestors()
            .skip(1)
            .take_while(|dir| dir.starts_with(&self.home) && *dir != self.home)
            .all(|dir| {
                if let Some(quiet) = known.get(dir) {
                    return *quiet;
                }
                let quiet = fs::metadata(dir).is_ok_and(|found| changed(&found) < self.started);
                known.insert(dir.to_owned(), quiet);
                quiet
            })
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // A child that is just being started elsewhere in this process holds a copy of
        // the descriptor until it runs its program.
        let _ = rustix::fs::flock(&self.lock, FlockOperation::Unlock);
    }
}

fn changed(found: &fs::Metadata) -> Stamp {
    (found.ctime(), found.ctime_nsec())
}

/// What tells this file from any other that is, was or will be at its path: the second
/// of its ctime, and as nanoseconds a hash of all that is known of its inode.
fn mark(found: &fs::Metadata) -> Stamp {
    let mut hash = Sha256::new();
    for part in [found.ctime_nsec(), found.ctime()] {
        hash.update(part.to_le_bytes());
    }
    for part in [found.ino(), found.len()] {
        hash.update(part.to_le_bytes());
    }
    let hash = hash.finalize();
    let number = u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]);
    (found.ctime(), i64::from(number % 1_000_000_000))
}

fn modified(found: &fs::Metadata) -> Stamp {
    (found.mtime(), found.mtime_nsec())
}

fn time((seconds, nanos): Stamp) -> Option<SystemTime> {
    let seconds = Duration::from_secs(u64::try_from(seconds).ok()?);
    let nanos = Duration::from_nanos(u64::try_from(nanos).ok()?);
    SystemTime::UNIX_EPOCH
        .checked_add(seconds)?
        .checked_add(nanos)
}

fn disk_remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => {
            Err(crate::Error::io("remove", path, why))
        }
        _ => Ok(()),
    }
}

type Visit<'a> = dyn FnMut(&Path, &fs::Metadata, &Path) -> Result<()> + 'a;

/// Every compiled file below `<dir>/<build>`, with the source it stands for.
fn each_bin(dir: &Path, visit: &mut Visit<'_>) -> Result<()> {
    for build in list(dir)? {
        walk(&build, &build, 0, visit)?;
    }
    Ok(())
}

fn walk(build: &Path, dir: &Path, depth: usize, visit: &mut Visit<'_>) -> Result<()> {
    for path in list(dir)? {
        let Ok(found) = fs::symlink_metadata(&path) else {
            continue;
        };
        if found.is_dir() && depth < DEEPEST {
            walk(build, &path, depth + 1, visit)?;
        } else if let Some(source) = source_of(build, &path).filter(|_| found.is_file()) {
            visit(&path, &found, &source)?;
        } else {
            disk::remove_tree(&path)?;
        }
    }
    Ok(())
}

fn list(dir: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(why) if why.kind() == io::ErrorKind::NotADirectory => Ok(Vec::new()),
        Err(why) => Err(crate::Error::io("list", dir, why)),
    }
}

fn source_of(build: &Path, bin: &Path) -> Option<PathBuf> {
    let below = bin.strip_prefix(build).ok()?.as_os_str().as_bytes();
    let mut source = vec![b'/'];
    source.extend_from_slice(below.strip_suffix(b".bin")?);
    Some(PathBuf::from(OsString::from_vec(source)))
}
