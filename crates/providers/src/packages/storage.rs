//! Packages on disk.
//!
//! `objects/ab/<sha256>.zip` holds the bytes, `index/*.json` says which package
//! they are. Both appear by rename, complete or not at all; several processes may
//! share the directory.

use super::{
    Error, PackageKind, Result,
    archive::{self, Identity},
    candidate::{Candidate, Place},
};
use crate::outgoing;
use pressroom_base::token;
use pressroom_phpdata::version;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    cmp::Ordering,
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use url::Url;

/// What the names of index files of addresses start with; no kind does.
const ADDRESS: &str = "address-";

/// The cache's directory.
#[derive(Debug)]
pub struct Storage {
    dir: PathBuf,
}

/// What a package must turn out to be.
pub struct Wanted {
    pub kind: PackageKind,
    pub slug: String,
    /// `None` for any.
    pub version: Option<String>,
}

/// An index file.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub sha256: String,
    pub size: u64,
    pub version: String,
    /// What the source looked like; a changed zip is fetched anew.
    stamp: String,
}

impl Storage {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// A name for a file that does not survive its maker.
    pub fn temporary(&self) -> Result<Temporary> {
        let path = self.dir.join("tmp").join(token::hex(24));
        make_parent(&path)?;
        Ok(Temporary { path })
    }

    /// Verifies what lies at `temporary`, or is brought there from `place`, and keeps it.
    pub fn keep(
        &self,
        temporary: &Temporary,
        place: &Place,
        wanted: &Wanted,
        index: &Path,
        stamp: String,
    ) -> Result<Row> {
        let name = match place {
            Place::File(path) => {
                // Copied, not linked: the source may be written to later.
                fs::copy(path, &temporary.path).map_err(Error::io("copy", path))?;
                path.display().to_string()
            }
            Place::Tree(path) => {
                archive::pack_core(path, &temporary.path)?;
                path.display().to_string()
            }
            Place::Url(url) => outgoing::shown(url),
        };
        let blame = |message: String| Error::Damaged {
            name: name.clone(),
            message,
        };
        let identity = archive::verify(&temporary.path).map_err(|error| match error {
            Error::Damaged { message, .. } => blame(message),
            other => other,
        })?;
        check_identity(&identity, wanted).map_err(blame)?;
        let normal = self.temporary()?;
        let ready = if archive::needs_normalizing(&temporary.path, &identity)? {
            archive::normalize(&temporary.path, &identity, &normal.path)?;
            &normal.path
        } else {
            &temporary.path
        };
        self.put(ready, identity.version, index, stamp)
    }

    /// Verifies a language pack that lies at `temporary`, and keeps it.
    pub fn keep_pack(
        &self,
        temporary: &Temporary,
        url: &Url,
        version: String,
        index: &Path,
        stamp: String,
    ) -> Result<Row> {
        archive::verify_flat(&temporary.path).map_err(|error| match error {
            Error::Damaged { message, .. } => Error::Damaged {
                name: outgoing::shown(url),
                message,
            },
            other => other,
        })?;
        self.put(&temporary.path, version, index, stamp)
    }

    /// Keeps a file that was verified.
    fn put(&self, ready: &Path, version: String, index: &Path, stamp: String) -> Result<Row> {
        let (sha256, size) = hash(ready)?;
        let object = self.object(&sha256);
        make_parent(&object)?;
        File::open(ready)
            .and_then(|file| file.sync_all())
            .map_err(Error::io("write", ready))?;
        fs::rename(ready, &object).map_err(Error::io("rename", ready))?;
        let row = Row {
            sha256,
            size,
            version,
            stamp,
        };
        let text = serde_json::to_vec(&row).unwrap_or_default();
        let note = self.temporary()?;
        make_parent(index)?;
        File::create_new(&note.path)
            .and_then(|mut file| {
                file.write_all(&text)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&note.path, index))
            .map_err(Error::io("write", index))?;
        Ok(row)
    }

    /// The row of an index file, if it is of this state of the source.
    pub fn load(&self, index: &Path, stamp: &str) -> Option<Row> {
        let row: Row = serde_json::from_slice(&fs::read(index).ok()?).ok()?;
        let there = fs::metadata(self.object(&row.sha256)).is_ok_and(|data| data.len() == row.size);
        (row.stamp == stamp && there).then_some(row)
    }

    /// Names are checked, but may be longer together than a file name: hashed.
    pub fn index(
        &self,
        kind: PackageKind,
        slug: &str,
        candidate: &Candidate,
        stamp: &str,
    ) -> PathBuf {
        let version = &candidate.version;
        let rest = Sha256::digest(format!("{slug}\n{version}\n{}\n{stamp}", candidate.locale));
        let short: String = slug.chars().take(60).collect();
        self.dir
            .join("index")
            .join(format!("{kind}-{short}-{}.json", hex::encode(&rest[..12])))
    }

    /// The index file of a language pack.
    pub fn pack_index(&self, stamp: &str) -> PathBuf {
        self.dir
            .join("index")
            .join(format!("translation-{stamp}.json"))
    }

    /// The index file of what lies at an address that somebody named.
    pub fn address_index(&self, kind: PackageKind, slug: &str, stamp: &str) -> PathBuf {
        let rest = Sha256::digest(format!("{slug}\n{stamp}"));
        self.dir
            .join("index")
            .join(format!("{ADDRESS}{kind}-{}.json", hex::encode(&rest[..12])))
    }

    /// Removes what is older than `age` and of no more use: unfinished files, and what came
    /// from addresses, which are asked each time. Other packages stay.
    pub fn prune(&self, age: Duration) -> Result<()> {
        let Some(before) = SystemTime::now().checked_sub(age) else {
            return Ok(());
        };
        for path in old_files(&self.dir.join("tmp"), before)? {
            remove(&path)?;
        }
        let index = self.dir.join("index");
        let mut going = old_files(&index, before)?;
        going.retain(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(ADDRESS))
        });
        // Which packages others still need takes reading all of the index: only for these.
        if going.is_empty() {
            return Ok(());
        }
        let needed = named_by(&index, &going)?;
        for path in going {
            if let Some(row) = read_row(&path)?
                && !needed.contains(&row.sha256)
            {
                let object = self.object(&row.sha256);
                // One that was kept again meanwhile has a new time.
                if fs::metadata(&object).is_ok_and(|data| was_written(&data, before)) {
                    remove(&object)?;
                }
            }
            // Last: a prune that is killed finds it again.
            remove(&path)?;
        }
        Ok(())
    }

    /// Where the bytes of a hash lie.
    pub fn object(&self, sha256: &str) -> PathBuf {
        self.dir
            .join("objects")
            .join(&sha256[..sha256.len().min(2)])
            .join(format!("{sha256}.zip"))
    }
}

/// What tells one address from another, without the address: it may hold a password.
pub fn stamp_of(url: &Url) -> String {
    hex::encode(Sha256::digest(url.as_str()))
}

/// Entries of a directory; none when there is no such directory.
fn entries(dir: &Path) -> Result<Vec<fs::DirEntry>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries
            .collect::<io::Result<_>>()
            .map_err(Error::io("read", dir)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io("read", dir)(error)),
    }
}

/// Files that were last written before a time.
fn old_files(dir: &Path, before: SystemTime) -> Result<Vec<PathBuf>> {
    Ok(entries(dir)?
        .iter()
        .filter(|entry| {
            entry
                .metadata()
                .is_ok_and(|data| data.is_file() && was_written(&data, before))
        })
        .map(fs::DirEntry::path)
        .collect())
}

fn was_written(data: &fs::Metadata, before: SystemTime) -> bool {
    data.modified().is_ok_and(|written| written < before)
}

/// The hashes of all packages that index files name, but for some of these files.
fn named_by(index: &Path, but: &[PathBuf]) -> Result<BTreeSet<String>> {
    let mut named = BTreeSet::new();
    for entry in entries(index)? {
        let path = entry.path();
        if !but.contains(&path) {
            named.extend(read_row(&path)?.map(|row| row.sha256));
        }
    }
    Ok(named)
}

/// An index file that is readable and still there.
fn read_row(path: &Path) -> Result<Option<Row>> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// Removes a file that another process may have removed.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn check_identity(identity: &Identity, wanted: &Wanted) -> std::result::Result<(), String> {
    if identity.kind != wanted.kind || identity.slug != wanted.slug {
        return Err(format!("it is {} `{}`", identity.kind, identity.slug));
    }
    if let Some(wanted) = &wanted.version
        && version::compare(&identity.version, wanted) != Ordering::Equal
    {
        return Err(format!(
            "its files name version `{}`, not `{wanted}`",
            identity.version
        ));
    }
    Ok(())
}

fn hash(path: &Path) -> Result<(String, u64)> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut hasher = Sha256::new();
    let size = io::copy(&mut file, &mut Hashing(&mut hasher)).map_err(Error::io("read", path))?;
    Ok((hex::encode(hasher.finalize()), size))
}

struct Hashing<'a>(&'a mut Sha256);

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).map_err(Error::io("create", parent)),
        None => Ok(()),
    }
}

/// A file that is removed unless it was renamed.
pub struct Temporary {
    pub path: PathBuf,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _renamed_or_never_made = fs::remove_file(&self.path);
    }
}
