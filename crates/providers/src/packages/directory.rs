//! A directory of zips. What a zip is, is read from inside it, never from its name.

use super::{
    Error, PackageKind, Result, archive,
    candidate::{Candidate, Place},
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// A directory of zips.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// What each file was when last looked into; files that did not change are not
    /// opened again.
    known: Arc<Mutex<BTreeMap<PathBuf, Known>>>,
}

#[derive(Debug, Clone)]
struct Known {
    stamp: String,
    identity: Option<archive::Identity>,
}

impl Directory {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            known: Arc::default(),
        }
    }

    pub async fn candidates(&self, kind: PackageKind, slug: &str) -> Result<Vec<Candidate>> {
        let directory = self.path.display().to_string();
        let (path, known) = (self.path.clone(), Arc::clone(&self.known));
        let known = tokio::task::spawn_blocking(move || {
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            scan(&path, &mut known)?;
            Ok::<_, Error>(known.clone())
        })
        .await
        .map_err(|_| Error::Damaged {
            name: directory,
            message: "a file in it could not be read".into(),
        })??;
        Ok(known
            .into_iter()
            .filter_map(|(path, known)| Some((path, known.identity?)))
            .filter(|(_, identity)| identity.kind == kind && identity.slug == slug)
            .map(|(path, identity)| Candidate {
                version: identity.version,
                locale: "en_US".into(),
                offered: true,
                requires_wordpress: identity.requires_wordpress,
                requires_php: identity.requires_php,
                released: None,
                place: Place::File(path),
            })
            .collect())
    }
}

fn scan(dir: &Path, known: &mut BTreeMap<PathBuf, Known>) -> Result<()> {
    let mut present = BTreeMap::new();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            known.clear();
            return Ok(());
        }
        Err(error) => return Err(Error::io("list", dir)(error)),
    };
    for entry in entries {
        let path = entry.map_err(Error::io("list", dir))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.')
            || path
                .extension()
                .is_none_or(|ending| !ending.eq_ignore_ascii_case("zip"))
        {
            continue;
        }
        let Some(stamp) = stamp(&path) else { continue };
        let before = known.remove(&path).filter(|before| before.stamp == stamp);
        let now = before.unwrap_or_else(|| Known {
            stamp,
            identity: archive::identify(&path)
                .inspect_err(
                    |error| tracing::warn!(path = %path.display(), %error, "a package is left out"),
                )
                .ok(),
        });
        present.insert(path, now);
    }
    *known = present;
    Ok(())
}

/// Changes whenever the file does.
pub fn stamp(path: &Path) -> Option<String> {
    let data = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some(format!(
        "{}:{}:{}.{:09}:{}.{:09}",
        data.ino(),
        data.len(),
        data.mtime(),
        data.mtime_nsec(),
        data.ctime(),
        data.ctime_nsec()
    ))
}
