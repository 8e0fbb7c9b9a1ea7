//! The lock file that remembers the highest epoch seen at this site.
//!
//! `flock` alone cannot fence: a worker that was stopped in mid-act keeps its lock,
//! and one that was stopped before it takes the lock wakes with a stale mind.
//! Therefore every effect happens inside [`critical`], which takes the lock, reads
//! the epoch *again*, and refuses a lower one. Acts inside are a few renames at
//! most, so that waiting for a worker stopped inside one is rare; everything long
//! happens outside, on staging paths whose name carries the epoch.

use crate::{Error, Result, home::Home, watch::Watch};
use pressroom_base::Epoch;
use rustix::fs::{FlockOperation, OFlags};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// What the site remembers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The highest epoch that ever took the fence; zero for a new site.
    pub epoch: Epoch,
}

/// The longest wait for a lock that somebody holds; critical acts take milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);
const LOCK: &str = "lock";

/// What the site remembers; zero for a site without a lock file.
pub fn seen(home: &Home) -> Result<Seen> {
    let path = home.state_path(LOCK);
    match open(&path, false) {
        Ok(file) => Ok(Seen {
            epoch: read(&file, &path)?,
        }),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Seen::default()),
        Err(why) => Err(Error::io("open", path, why)),
    }
}

/// Raises the remembered epoch to ours; refused when it is higher already.
pub fn take(home: &Home, epoch: Epoch, watch: &Watch) -> Result<Seen> {
    home.state_dir()?;
    hold(home, epoch, watch, true)?;
    Ok(Seen { epoch })
}

/// Refuses a stale epoch early, before long work; [`critical`] asks again.
pub fn check(home: &Home, epoch: Epoch, watch: &Watch) -> Result<()> {
    watch.check()?;
    let seen = seen(home)?.epoch;
    if seen > epoch {
        return Err(Error::Fenced { ours: epoch, seen });
    }
    Ok(())
}

/// Runs a tiny act under the lock, the epoch checked inside. The site must have
/// been taken ([`take`]) before: a missing lock file means that the home was
/// cleaned, and nobody who worked in it before may go on.
pub fn critical<T>(
    home: &Home,
    epoch: Epoch,
    watch: &Watch,
    act: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let held = enter(home, epoch, watch)?;
    let result = act();
    drop(held);
    result
}

/// The lock, had with the epoch checked; dropping it lets others in.
#[derive(Debug)]
pub(crate) struct Held {
    _lock: File,
}

/// As [`critical`], for an act that waits for a server: hold what is returned until it
/// is done, and not for long.
pub(crate) fn enter(home: &Home, epoch: Epoch, watch: &Watch) -> Result<Held> {
    let lock = hold(home, epoch, watch, false)?;
    Ok(Held { _lock: lock })
}

/// Takes the lock and checks, raising what is remembered to `epoch`.
fn hold(home: &Home, epoch: Epoch, watch: &Watch, create: bool) -> Result<File> {
    let path = home.state_path(LOCK);
    let since = Instant::now();
    loop {
        let file = open(&path, create).map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => Error::Missing(home.shown(&path)),
            _ => Error::io("open", &path, why),
        })?;
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {}
                Err(why) => return Err(Error::io("lock", &path, why.into())),
            }
            match watch.check() {
                Err(Error::Deadline) => return Err(Error::Locked),
                other => other?,
            }
            if since.elapsed() > PATIENCE {
                return Err(Error::Locked);
            }
            thread::sleep(POLL);
        }
        // The file may have been removed with the home's state while we waited;
        // a lock on a nameless file protects nothing.
        let ours = file
            .metadata()
            .map_err(|why| Error::io("look at", &path, why))?;
        match fs::symlink_metadata(&path) {
            Ok(named) if named.ino() == ours.ino() && named.dev() == ours.dev() => {}
            _ => continue,
        }
        let seen = read(&file, &path)?;
        if seen > epoch {
            return Err(Error::Fenced { ours: epoch, seen });
        }
        if seen < epoch {
            // Fixed width: one small write in place, never half a number.
            file.write_all_at(format!("{:020}\n", epoch.get()).as_bytes(), 0)
                .and_then(|()| file.sync_data())
                .map_err(|why| Error::io("write", &path, why))?;
        }
        return Ok(file);
    }
}

fn open(path: &PathBuf, create: bool) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)
}

fn read(file: &File, path: &PathBuf) -> Result<Epoch> {
    let mut bytes = [0; 32];
    let count = file
        .read_at(&mut bytes, 0)
        .map_err(|why| Error::io("read", path, why))?;
    let text = String::from_utf8_lossy(&bytes[..count]);
    if text.is_empty() {
        return Ok(Epoch::ZERO);
    }
    text.trim()
        .parse()
        .map(Epoch::new)
        .map_err(|_| Error::BadInput(format!("lock file `{}` is damaged", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        (dir, home)
    }

    #[test]
    fn a_lower_epoch_is_refused_and_its_act_not_run() {
        let (_dir, home) = home();
        let watch = Watch::unbounded();
        assert_eq!(seen(&home).unwrap().epoch, Epoch::ZERO);
        take(&home, Epoch::new(5), &watch).unwrap();
        critical(&home, Epoch::new(5), &watch, || Ok(())).unwrap();
        take(&home, Epoch::new(7), &watch).unwrap();
        let mut ran = false;
        let refused = critical(&home, Epoch::new(6), &watch, || {
            ran = true;
            Ok(())
        });
        assert!(matches!(refused, Err(Error::Fenced { .. })));
        assert!(!ran);
        assert!(matches!(
            take(&home, Epoch::new(6), &watch),
            Err(Error::Fenced { .. })
        ));
        assert_eq!(seen(&home).unwrap().epoch, Epoch::new(7));
    }

    #[test]
    fn a_held_lock_ends_in_locked_not_in_a_hang() {
        let (_dir, home) = home();
        let watch = Watch::unbounded();
        take(&home, Epoch::new(1), &watch).unwrap();
        critical(&home, Epoch::new(1), &watch, || {
            let brief = Watch::lasting(Duration::from_millis(30));
            assert!(matches!(
                take(&home, Epoch::new(2), &brief),
                Err(Error::Locked)
            ));
            let gone = Watch::unbounded();
            gone.cancel();
            assert!(matches!(
                take(&home, Epoch::new(2), &gone),
                Err(Error::Cancelled)
            ));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen(&home).unwrap().epoch, Epoch::new(1));
    }

    #[test]
    fn a_cleaned_home_takes_no_more_acts() {
        let (_dir, home) = home();
        let watch = Watch::unbounded();
        assert!(matches!(
            critical(&home, Epoch::new(9), &watch, || Ok(())),
            Err(Error::Missing(_))
        ));
    }
}
