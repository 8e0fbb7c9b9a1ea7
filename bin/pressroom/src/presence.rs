//! Which processes of this data directory are alive, as the kernel knows it.
//!
//! Each worker holds a lock on a file of its own for as long as it lives. One that is started
//! after another was killed finds the file without its lock, and takes that one's jobs up at
//! once instead of waiting for their leases to lapse: a site may be in maintenance meanwhile.
//! Workers of other machines are none of this; their leases tell.

use pressroom_base::token;
use pressroom_cli::Failure;
use rustix::fs::FlockOperation;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// Below the data directory.
const PLACE: &str = "workers";
/// A file that is not whole yet.
const UNFINISHED: &str = "new";
/// It is so for a moment; what is older belongs to nobody.
const LEFT_OVER: Duration = Duration::from_hours(1);

/// That this process is alive, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Presence {
    file: PathBuf,
    _lock: File,
}

impl Presence {
    /// Announces the worker of this name, as the rows of its jobs have it.
    pub fn announce(data: &Path, holder: &str) -> Result<Self, Failure> {
        let dir = data.join(PLACE);
        announce(&dir, holder).map_err(|error| {
            Failure::local(format!("cannot write below `{}`", dir.display()), &error)
        })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // Otherwise the next worker removes it.
        let _ = fs::remove_file(&self.file);
    }
}

fn announce(dir: &Path, holder: &str) -> io::Result<Presence> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let file = dir.join(token::hex(8));
    let unfinished = file.with_extension(UNFINISHED);
    let mut lock = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    lock.write_all(holder.as_bytes())?;
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    // Nobody meets it without its lock.
    fs::rename(&unfinished, &file)?;
    Ok(Presence { file, _lock: lock })
}

/// Workers that ended without a word, by their names. Each is told once: to whoever holds
/// what is returned, until it is [done with](Gone::forget).
pub fn gone(data: &Path) -> io::Result<Vec<Gone>> {
    let mut all = Vec::new();
    let entries = match fs::read_dir(data.join(PLACE)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == UNFINISHED) {
            if is_left_over(&path) {
                let _ = fs::remove_file(&path);
            }
            continue;
        }
        let Ok(mut lock) = File::open(&path) else {
            // Its owner, or another process, has just removed it.
            continue;
        };
        if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        let mut holder = String::new();
        if let Err(error) = lock.read_to_string(&mut holder) {
            // The leases of its jobs lapse all the same, and it tells nobody anything.
            tracing::warn!(%error, file = %path.display(), "whose this is cannot be read");
            let _ = fs::remove_file(&path);
            continue;
        }
        all.push(Gone {
            holder,
            file: path,
            _lock: lock,
        });
    }
    Ok(all)
}

/// Whether a file was never finished: its process was killed before it had a name.
fn is_left_over(unfinished: &Path) -> bool {
    let written = fs::metadata(unfinished).and_then(|it| it.modified());
    written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LEFT_OVER))
}

/// A worker that is no more.
#[derive(Debug)]
pub struct Gone {
    /// How it was named in the rows of its jobs.
    pub holder: String,
    file: PathBuf,
    _lock: File,
}

impl Gone {
    /// Nothing of it is left to be taken up.
    pub fn forget(self) -> io::Result<()> {
        fs::remove_file(&self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn names(data: &Path) -> Vec<String> {
        gone(data)
            .unwrap()
            .into_iter()
            .map(|it| it.holder)
            .collect()
    }

    #[test]
    fn only_who_ended_without_a_word_is_gone() {
        let data = tempfile::tempdir().unwrap();
        assert!(names(data.path()).is_empty());
        let alive = Presence::announce(data.path(), "alive").unwrap();
        let orderly = Presence::announce(data.path(), "orderly").unwrap();
        drop(orderly);
        let killed = Presence::announce(data.path(), "killed").unwrap();
        assert!(names(data.path()).is_empty());
        // As the end of a process does: the lock goes, and the file stays.
        let file = killed.file.clone();
        let name = fs::read(&file).unwrap();
        drop(killed);
        fs::write(&file, name).unwrap();
        let found = gone(data.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].holder, "killed");
        // While one process sees to it, no other does.
        assert!(names(data.path()).is_empty());
        for one in found {
            one.forget().unwrap();
        }
        assert!(names(data.path()).is_empty());
        drop(alive);
    }

    #[test]
    fn what_is_unreadable_or_unfinished_is_in_nobodys_way() {
        let data = tempfile::tempdir().unwrap();
        let dir = data.path().join(PLACE);
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("a"), [0xff, 0xfe]).unwrap();
        fs::write(dir.join("b"), "killed").unwrap();
        let (young, old) = (dir.join("c.new"), dir.join("d.new"));
        fs::write(&young, "").unwrap();
        let file = File::create(&old).unwrap();
        file.set_modified(SystemTime::now() - LEFT_OVER * 2)
            .unwrap();
        assert_eq!(names(data.path()), ["killed"]);
        assert!(young.exists() && !old.exists());
    }
}
