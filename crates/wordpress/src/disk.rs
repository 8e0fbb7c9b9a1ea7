//! The few acts on directories that everything else is made of.

use crate::{Error, Result};
use rustix::{
    fs::{CWD, RenameFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

#[cfg(test)]
pub(crate) mod failpoint;

/// How two things changed places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exchange {
    /// In one act of the file system, or nothing had to change places.
    #[default]
    Atomic,
    /// By renames one after the other, because the file system has no such act (NFS,
    /// older ZFS): for an instant nothing was in the live place.
    Stepwise,
}

/// Moves to a place where nothing is. Where the file system cannot refuse to
/// replace, it is looked first: call it inside the fence.
pub(crate) fn move_to(from: &Path, to: &Path) -> Result<()> {
    match rename(from, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(why) if is_unsupported(why) => {
            if exists(to)? {
                return Err(Error::Occupied(to.display().to_string()));
            }
            rename(from, to, RenameFlags::empty())
                .map_err(|why| Error::io("move", from, why.into()))
        }
        Err(Errno::EXIST | Errno::NOTEMPTY) => Err(Error::Occupied(to.display().to_string())),
        Err(why) => Err(Error::io("move", from, why.into())),
    }
}

/// Exchanges two existing directories or files: `live`, which is missed when it is
/// gone, and `aside`. Stopped half-way, [`close_gap`] makes it whole.
pub(crate) fn exchange(live: &Path, aside: &Path) -> Result<Exchange> {
    match rename(live, aside, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(Exchange::Atomic),
        Err(why) if is_unsupported(why) => {
            let gap = gap(aside);
            // One rename each; only between the first two is nothing live.
            move_to(live, &gap)?;
            let placed = move_to(aside, live);
            if placed.is_err() {
                move_to(&gap, live)?;
                return placed.map(|()| Exchange::Stepwise);
            }
            move_to(&gap, aside)?;
            Ok(Exchange::Stepwise)
        }
        Err(why) => Err(Error::io("exchange", live, why.into())),
    }
}

/// Makes a stepwise exchange whole that was stopped half-way; says whether there
/// was one. Call it inside the fence.
pub(crate) fn close_gap(live: &Path, aside: &Path) -> Result<bool> {
    let gap = gap(aside);
    if !exists(&gap)? {
        return Ok(false);
    }
    if !exists(live)? {
        move_to(&gap, live)?;
    } else if !exists(aside)? {
        move_to(&gap, aside)?;
    }
    Ok(true)
}

/// Where the live thing waits while [`exchange`] goes step by step.
fn gap(aside: &Path) -> PathBuf {
    let mut name = OsString::from(".gap-");
    name.push(aside.file_name().unwrap_or_default());
    aside.with_file_name(name)
}

fn rename(from: &Path, to: &Path, flags: RenameFlags) -> rustix::io::Result<()> {
    #[cfg(test)]
    failpoint::pass(flags)?;
    rustix::fs::renameat_with(CWD, from, CWD, to, flags)
}

/// Whether a rename was refused for its flags; that is asked of an existing source
/// and a target outside it, where nothing else is invalid.
fn is_unsupported(why: Errno) -> bool {
    matches!(why, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}

/// Writes and syncs a new file, to be put in place later. Nothing stays after a
/// failure.
pub(crate) fn write_aside(aside: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(aside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            // Whatever umask we were started with.
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            file.sync_all()
        });
    if let Err(why) = written {
        let _ = fs::remove_file(aside);
        return Err(Error::io("write", aside, why));
    }
    Ok(())
}

/// Renames over `path` and syncs the directory; gives the file up on failure.
pub(crate) fn put_in_place(aside: &Path, path: &Path) -> Result<()> {
    if let Err(why) = rename(aside, path, RenameFlags::empty()) {
        let _ = fs::remove_file(aside);
        return Err(Error::io("write", path, why.into()));
    }
    sync_parent(path)
}

/// Writes a record of ours, whole and synced. Call it inside the fence: the file
/// by the side has a fixed name.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let bytes =
        serde_json::to_vec(value).map_err(|why| Error::io("write", path, io::Error::other(why)))?;
    let aside = path.with_extension("new");
    // Left by somebody who was killed in mid-write; nothing refers to it.
    remove_file(&aside)?;
    write_aside(&aside, &bytes, 0o600)?;
    put_in_place(&aside, path)
}

/// Makes a rename or removal in the directory of `path` durable.
pub(crate) fn sync_parent(path: &Path) -> Result<()> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    File::open(parent)
        .and_then(|dir| dir.sync_all())
        .map_err(|why| Error::io("sync", parent, why))
}

/// Removes a file that may be gone already.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    #[cfg(test)]
    failpoint::pass(RenameFlags::empty()).map_err(|why| Error::io("remove", path, why.into()))?;
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(why) => Err(Error::io("remove", path, why)),
    }
}

/// Removes a tree, link by link and never through one; it may be gone already.
pub(crate) fn remove_tree(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => match fs::remove_dir_all(path) {
            // A site may have taken its own right to write from itself.
            Err(why) if why.kind() == io::ErrorKind::PermissionDenied => {
                open_up(path);
                fs::remove_dir_all(path)
            }
            removed => removed,
        },
        Ok(_) => fs::remove_file(path),
        Err(why) => Err(why),
    };
    match removed {
        Ok(()) => Ok(()),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(why) => Err(Error::io("remove", path, why)),
    }
}

/// Gives the owner all rights to the directories of a tree, as far as possible.
fn open_up(path: &Path) {
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// Removes a directory if nothing is in it; says whether it is gone.
pub(crate) fn remove_if_empty(path: &Path) -> Result<bool> {
    match fs::remove_dir(path) {
        Ok(()) => Ok(true),
        Err(why) => match why.kind() {
            io::ErrorKind::NotFound => Ok(true),
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => Ok(false),
            _ => Err(Error::io("remove", path, why)),
        },
    }
}

/// Whether anything of that name is there, be it a dangling link.
pub(crate) fn exists(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(Error::io("look at", path, why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both places of an exchange in a directory.
    fn places(dir: &Path) -> (PathBuf, PathBuf) {
        let (live, aside) = (dir.join("live"), dir.join("aside"));
        for (path, text) in [(&live, "old"), (&aside, "new")] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("x"), text).unwrap();
        }
        (live, aside)
    }

    fn text(dir: &Path) -> String {
        fs::read_to_string(dir.join("x")).unwrap_or_default()
    }

    #[test]
    fn exchanges_step_by_step_where_the_file_system_has_no_exchange() {
        for plain in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let (live, aside) = places(dir.path());
            failpoint::plain_renames_only(plain);
            let how = exchange(&live, &aside);
            failpoint::plain_renames_only(false);
            let expected = if plain {
                Exchange::Stepwise
            } else {
                Exchange::Atomic
            };
            assert_eq!(how.unwrap(), expected);
            assert_eq!((text(&live), text(&aside)), ("new".into(), "old".into()));
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        }
    }

    #[test]
    fn an_exchange_stopped_after_any_step_is_made_whole() {
        for steps in 0..4 {
            let dir = tempfile::tempdir().unwrap();
            let (live, aside) = places(dir.path());
            failpoint::plain_renames_only(true);
            failpoint::stop_after(steps);
            let ended = exchange(&live, &aside);
            let stopped = failpoint::stopped();
            assert_eq!(stopped, ended.is_err() || steps == 3);
            assert_eq!(close_gap(&live, &aside).unwrap(), matches!(steps, 1 | 2));
            failpoint::plain_renames_only(false);
            let done = steps >= 2;
            assert_eq!(text(&live), if done { "new" } else { "old" }, "{steps}");
            assert_eq!(text(&aside), if done { "old" } else { "new" }, "{steps}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        }
    }

    #[test]
    fn a_plain_move_replaces_nothing_either() {
        let dir = tempfile::tempdir().unwrap();
        let (live, aside) = places(dir.path());
        failpoint::plain_renames_only(true);
        let refused = move_to(&live, &aside);
        let moved = move_to(&live, &dir.path().join("elsewhere"));
        failpoint::plain_renames_only(false);
        assert!(matches!(refused, Err(Error::Occupied(_))));
        moved.unwrap();
        assert_eq!(text(&aside), "new");
    }
}
