//! Leaving a home: takes away what Pressroom itself keeps there.

use crate::{
    Error, Result, disk, fence,
    home::{Home, PRIVATE_DIRS},
    journal::{self, Entry},
    package, rehearsal,
    watch::Watch,
};
use pressroom_base::Epoch;
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

const LOCK: &str = "lock";
const STAGING: &str = "staging";

/// Removes the temp, log, session and state directories, the fence last. After it,
/// nobody who worked here before may write: the lock file is gone, and only
/// [`fence::take`] makes one. A home that was cleaned already is fine.
pub fn clean(home: &Home, epoch: Epoch, watch: &Watch) -> Result<()> {
    if !disk::exists(&home.state_path(""))? {
        return Ok(());
    }
    let entries = fence::critical(home, epoch, watch, || {
        // What cannot be read must not keep anybody here.
        Ok(journal::entries(home).unwrap_or_default())
    })?;
    for (_, entry) in entries {
        if let Entry::Rehearsal { record, .. } = entry {
            // Its tables are known to nobody else; where the database is gone, so are they.
            if let Err(why @ Error::Fenced { .. }) = rehearsal::remove(home, epoch, &record, watch)
            {
                return Err(why);
            }
        }
    }
    let aside = set_aside(home, epoch, watch)?;
    leave(home, epoch, &aside, watch)
}

/// Moves everything but the lock into a staging directory of this epoch, which
/// recovery sweeps if nobody else does. All of it inside the fence: what a successor
/// makes afterwards has the same names and must not be met by the long removal.
fn set_aside(home: &Home, epoch: Epoch, watch: &Watch) -> Result<PathBuf> {
    fence::critical(home, epoch, watch, || {
        let staging = home.state_subdir(STAGING)?;
        let aside = staging.join(package::handle(epoch)? + "-clean");
        let inner = aside.join(STAGING);
        fs::create_dir_all(&inner).map_err(|why| Error::io("create", &inner, why))?;
        for name in PRIVATE_DIRS {
            put_away(&home.path().join(name), &aside.join(name))?;
        }
        let state = home.state_path("");
        for name in names(&state)? {
            if name != LOCK && name != STAGING {
                // Apart from the home's own directories, which may be called the same.
                let mut other = OsString::from("state-");
                other.push(&name);
                put_away(&state.join(&name), &aside.join(other))?;
            }
        }
        for name in names(&staging)? {
            let path = staging.join(&name);
            if path != aside {
                put_away(&path, &inner.join(&name))?;
            }
        }
        Ok(aside)
    })
}

/// Removes what was set aside, and then the fence itself.
fn leave(home: &Home, epoch: Epoch, aside: &Path, watch: &Watch) -> Result<()> {
    watch.check()?;
    disk::remove_tree(aside)?;
    fence::critical(home, epoch, watch, || {
        disk::remove_if_empty(&home.state_path(STAGING))?;
        disk::remove_file(&home.state_path(LOCK))?;
        disk::remove_if_empty(&home.state_path(""))?;
        Ok(())
    })
}

/// Moves something that may not be there. What cannot be moved, a mount point or a
/// directory of another's, is removed where it is.
fn put_away(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Ok(()) => Ok(()),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(why)
            if matches!(
                why.kind(),
                io::ErrorKind::CrossesDevices
                    | io::ErrorKind::ResourceBusy
                    | io::ErrorKind::PermissionDenied
            ) =>
        {
            disk::remove_tree(from)
        }
        Err(why) => Err(Error::io("move", from, why)),
    }
}

fn names(dir: &Path) -> Result<Vec<OsString>> {
    fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect())
        .map_err(|why| Error::io("list", dir, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample::staged_names;

    #[test]
    fn leaves_only_what_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let watch = Watch::unbounded();
        let epoch = Epoch::new(3);
        crate::recovery::recover(&home, epoch, &watch).unwrap();
        fs::write(dir.path().join("logs/error.log"), "x").unwrap();
        fs::write(dir.path().join("theirs"), "x").unwrap();
        assert!(matches!(
            clean(&home, Epoch::new(2), &watch),
            Err(Error::Fenced { .. })
        ));
        assert!(dir.path().join("logs/error.log").exists());
        clean(&home, epoch, &watch).unwrap();
        clean(&home, epoch, &watch).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["theirs"]);
    }

    /// Every path below a directory.
    fn all(dir: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for name in names(dir).unwrap() {
            let path = dir.join(name);
            if path.is_dir() {
                found.extend(all(&path));
            }
            found.push(path);
        }
        found.sort();
        found
    }

    #[test]
    fn what_a_successor_makes_is_not_removed() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let watch = Watch::unbounded();
        let (ours, theirs) = (Epoch::new(3), Epoch::new(4));
        crate::recovery::recover(&home, ours, &watch).unwrap();
        fs::write(home.state_subdir("journal").unwrap().join("old.json"), "x").unwrap();
        let staged = home.state_subdir(STAGING).unwrap().join("2-x");
        fs::create_dir(&staged).unwrap();

        // Stopped in the middle; somebody takes over, and sweeps what is left of us.
        let aside = set_aside(&home, ours, &watch).unwrap();
        assert_eq!(names(&home.state_path("")).unwrap().len(), 2);
        let found = crate::recovery::recover(&home, theirs, &watch).unwrap();
        assert_eq!(found, crate::recovery::Recovery::default());
        assert_eq!(staged_names(&home), [""; 0]);
        for name in ["journal/a", "restores/b", "staging/4-c", "kept/d"] {
            let path = home.state_path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "theirs").unwrap();
        }
        fs::write(dir.path().join("logs/error.log"), "theirs").unwrap();
        let before = all(dir.path());

        // Woken, we touch nothing of it.
        let woken = leave(&home, ours, &aside, &watch);
        assert!(matches!(woken, Err(Error::Fenced { .. })), "{woken:?}");
        let again = clean(&home, ours, &watch);
        assert!(matches!(again, Err(Error::Fenced { .. })), "{again:?}");
        assert_eq!(all(dir.path()), before);
    }

    #[test]
    fn one_that_was_stopped_is_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let watch = Watch::unbounded();
        let epoch = Epoch::new(3);
        crate::recovery::recover(&home, epoch, &watch).unwrap();
        fs::write(dir.path().join("tmp/x"), "x").unwrap();
        set_aside(&home, epoch, &watch).unwrap();
        set_aside(&home, epoch, &watch).unwrap();
        clean(&home, epoch, &watch).unwrap();
        assert_eq!(all(dir.path()), [""; 0].map(PathBuf::from));
    }
}
