//! Leaving a home: takes away what Pressroom itself keeps there.

use crate::{
    Result, disk, fence,
    home::{Home, PRIVATE_DIRS},
    watch::Watch,
};
use pressroom_base::Epoch;
use std::fs;

/// Removes the temp, log, session and state directories, the fence last. After it,
/// nobody who worked here before may write: the lock file is gone, and only
/// [`fence::take`] makes one. A home that was cleaned already is fine.
pub fn clean(home: &Home, epoch: Epoch, watch: &Watch) -> Result<()> {
    if !disk::exists(&home.state_path(""))? {
        return Ok(());
    }
    fence::critical(home, epoch, watch, || Ok(()))?;
    for name in PRIVATE_DIRS {
        watch.check()?;
        disk::remove_tree(&home.path().join(name))?;
    }
    let state = home.state_dir()?;
    for entry in fs::read_dir(&state).map_err(|why| crate::Error::io("list", &state, why))? {
        watch.check()?;
        let path = entry
            .map_err(|why| crate::Error::io("list", &state, why))?
            .path();
        if path.file_name().is_some_and(|name| name != "lock") {
            disk::remove_tree(&path)?;
        }
    }
    fence::critical(home, epoch, watch, || {
        disk::remove_file(&state.join("lock"))?;
        disk::remove_if_empty(&state)?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn leaves_only_what_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let watch = Watch::unbounded();
        let epoch = Epoch::new(3);
        crate::journal::recover(&home, epoch, &watch).unwrap();
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
}
