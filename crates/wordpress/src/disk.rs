//! The few acts on directories that everything else is made of.

use crate::{Error, Result};
use rustix::{
    fs::{CWD, RenameFlags},
    io::Errno,
};
use serde::Serialize;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Moves to a place where nothing is.
pub(crate) fn move_to(from: &Path, to: &Path) -> Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST | Errno::NOTEMPTY) => Err(Error::Occupied(to.display().to_string())),
        Err(why) => Err(Error::io("move", from, why.into())),
    }
}

/// Exchanges two existing directories in one act.
pub(crate) fn exchange(one: &Path, other: &Path) -> Result<()> {
    rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
        .map_err(|why| Error::io("exchange", one, why.into()))
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
    if let Err(why) = fs::rename(aside, path) {
        let _ = fs::remove_file(aside);
        return Err(Error::io("write", path, why));
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
