//! A directory as an object store.

use crate::{Error, Result};
use object_store::{local::LocalFileSystem, path::Path};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path as FilePath, PathBuf},
    time::SystemTime,
};

/// Where objects grow before they are renamed into place. No key begins with a dot,
/// so nothing in here is an object.
pub(super) const STAGING: &str = ".uploads";

#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
    pub(super) store: LocalFileSystem,
}

impl Directory {
    /// Makes the directory, for its owner alone.
    pub(super) fn open(path: &FilePath) -> Result<Self> {
        let failed = |source| Error::Directory {
            path: path.to_path_buf(),
            source,
        };
        if !path.is_absolute() {
            return Err(Error::BadConfig(format!(
                "`{}` is not an absolute path",
                path.display()
            )));
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        let root = fs::canonicalize(path).map_err(failed)?;
        // It may have been there before; what is kept in it is every site's database.
        if fs::metadata(&root).map_err(failed)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&root, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        let store = LocalFileSystem::new_with_prefix(&root)
            .map_err(|error| Error::of_store(&root.display().to_string(), error))?
            .with_fsync(true)
            .with_automatic_cleanup(true);
        Ok(Self { root, store })
    }

    /// Bytes that may still be written to its disk.
    pub(super) fn free_bytes(&self) -> Result<u64> {
        let found = rustix::fs::statvfs(&self.root).map_err(|errno| Error::Directory {
            path: self.root.clone(),
            source: errno.into(),
        })?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Takes away what the umask gave to others than the owner: the mode of the
    /// directory protects a file only where it is.
    pub(super) fn make_private(&self, at: &Path) -> Result<()> {
        let path = self.root.join(at.as_ref());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
            .map_err(|source| Error::Directory { path, source })
    }

    /// Uploads nobody has written to since `before`: file name and last change.
    pub(super) fn unfinished(&self, before: SystemTime) -> Result<Vec<(String, SystemTime)>> {
        let staging = self.root.join(STAGING);
        let failed = |source| Error::Directory {
            path: staging.clone(),
            source,
        };
        let entries = match fs::read_dir(&staging) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let changed = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata
                    .and_then(|found| found.modified())
                    .map_err(failed)?,
            };
            if changed < before
                && let Ok(name) = entry.file_name().into_string()
            {
                found.push((name, changed));
            }
        }
        Ok(found)
    }

    /// Removes one of them.
    pub(super) fn discard(&self, name: &str) -> Result<()> {
        let path = self.root.join(STAGING).join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::Directory {
                path,
                source: error,
            }),
            _ => Ok(()),
        }
    }
}
