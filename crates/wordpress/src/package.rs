//! Packages: a zip that arrives as a stream, is checked, and is unpacked aside.

pub(crate) mod layout;

use crate::{
    Error, Result, fence,
    home::Home,
    tree::{TreeHash, TreeHasher},
    watch::Watch,
};
use layout::{Item, Layout};
use pressroom_base::Epoch;
use sha2::{Digest, Sha256};
use std::{
    collections::HashSet,
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

/// The largest package taken.
const MAX_PACKAGE: u64 = 512 * 1024 * 1024;

/// A package received whole, in a file that has no name any more: whatever
/// happens, nothing of it stays behind.
#[derive(Debug)]
pub struct Spool {
    file: File,
    bytes: u64,
}

impl Spool {
    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A reader over it; one at a time, they share the file's position.
    pub(crate) fn reader(&self) -> &File {
        &self.file
    }
}

/// Receives a package.
pub fn spool(home: &Home, epoch: Epoch, mut incoming: impl Read, watch: &Watch) -> Result<Spool> {
    fence::check(home, epoch, watch)?;
    let path = home.state_subdir("staging")?.join(handle(epoch)? + ".zip");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|why| Error::io("create", &path, why))?;
    fs::remove_file(&path).map_err(|why| Error::io("remove", &path, why))?;
    let mut buffer = vec![0; 128 * 1024];
    let mut bytes = 0;
    loop {
        watch.check()?;
        let count = match incoming.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => {
                // A reader that gives up because the caller withdrew says so less
                // clearly than the watch does.
                watch.check()?;
                return Err(Error::io("receive", "package", why));
            }
        };
        bytes += count as u64;
        if bytes > MAX_PACKAGE {
            return Err(Error::BadInput(format!(
                "package is larger than {MAX_PACKAGE} bytes"
            )));
        }
        file.write_all(&buffer[..count])
            .map_err(|why| Error::io("write", &path, why))?;
    }
    Ok(Spool { file, bytes })
}

/// A fresh name in the staging directory: the epoch, so that recovery knows whose
/// it is, and enough chance that it cannot be guessed.
pub(crate) fn handle(epoch: Epoch) -> Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|why| Error::io("read", "random numbers", io::Error::other(why.to_string())))?;
    Ok(format!("{}-{}", epoch.get(), hex::encode(random)))
}

/// Where a file is written before it is put in place; recovery sweeps it.
pub(crate) fn aside(home: &Home, epoch: Epoch) -> Result<PathBuf> {
    Ok(home.state_subdir("staging")?.join(handle(epoch)? + "-file"))
}

/// The epoch in a staging name.
pub(crate) fn handle_epoch(handle: &str) -> Option<Epoch> {
    handle.split('-').next()?.parse().ok().map(Epoch::new)
}

/// Whether a name is one that staging hands out.
pub(crate) fn is_handle(name: &str) -> bool {
    name.split_once('-').is_some_and(|(epoch, random)| {
        !epoch.is_empty()
            && epoch.bytes().all(|byte| byte.is_ascii_digit())
            && random.len() == 16
            && random.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Unpacks into `dest`, which must not exist; after a failure it does not either.
pub(crate) fn unpack<R: Read + Seek>(
    layout: &Layout,
    archive: &mut zip::ZipArchive<R>,
    dest: &Path,
    watch: &Watch,
) -> Result<TreeHash> {
    let result = unpack_inner(layout, archive, dest, watch);
    if result.is_err() {
        // The first failure is the one worth telling.
        let _ = fs::remove_dir_all(dest);
    }
    result
}

fn unpack_inner<R: Read + Seek>(
    layout: &Layout,
    archive: &mut zip::ZipArchive<R>,
    dest: &Path,
    watch: &Watch,
) -> Result<TreeHash> {
    if let Some((path, _)) = layout
        .items
        .iter()
        .find(|(_, item)| matches!(item, Item::Link(_)))
    {
        return Err(Error::BadInput(format!(
            "package entry `{}` is a symbolic link",
            String::from_utf8_lossy(path)
        )));
    }
    let mut hasher = TreeHasher::new();
    let mut budget = layout.budget();
    let mut made = HashSet::new();
    make_dirs(dest, dest, &mut made)?;
    for (path, item) in &layout.items {
        let target: PathBuf = dest.join(OsStr::from_bytes(path));
        match item {
            Item::Directory => {
                make_dirs(dest, &target, &mut made)?;
                if layout.is_empty_directory(path) {
                    hasher.empty_directory(path);
                }
            }
            Item::File(index) | Item::Link(index) => {
                if let Some(parent) = target.parent() {
                    make_dirs(dest, parent, &mut made)?;
                }
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o644)
                    .open(&target)
                    .map_err(|why| Error::io("create", &target, why))?;
                let mut content = Sha256::new();
                let bytes = layout.copy(archive, *index, path, &mut budget, watch, |part| {
                    content.update(part);
                    file.write_all(part)
                        .map_err(|why| Error::io("write", &target, why))
                })?;
                // Whatever umask we were started with: the web server reads these.
                file.set_permissions(fs::Permissions::from_mode(0o644))
                    .map_err(|why| Error::io("set the mode of", &target, why))?;
                hasher.file(path, content, bytes);
            }
        }
    }
    Ok(hasher.finish())
}

/// Makes `path` and what is missing between it and `dest`, mode 0755.
fn make_dirs(dest: &Path, path: &Path, made: &mut HashSet<PathBuf>) -> Result<()> {
    if made.contains(path) {
        return Ok(());
    }
    if path != dest
        && let Some(parent) = path.parent()
    {
        make_dirs(dest, parent, made)?;
    }
    DirBuilder::new()
        .mode(0o755)
        .create(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
        .map_err(|why| Error::io("create", path, why))?;
    made.insert(path.to_owned());
    Ok(())
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
