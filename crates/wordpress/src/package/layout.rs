//! What a zip would put on disk, decided before a byte is unpacked.

use crate::{Error, Result, watch::Watch};
use std::{
    collections::BTreeMap,
    io::{Read, Seek},
};
use zip::ZipArchive;

/// More entries than any package has.
const MAX_ENTRIES: usize = 100_000;
/// The most a package may unpack to.
const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// How much larger than the zip the contents may be, once they are large at all.
const MAX_RATIO: u64 = 200;
/// Below this, the ratio does not matter.
const RATIO_FREE_BYTES: u64 = 10 * 1024 * 1024;
const MAX_PATH: usize = 1024;

/// What to do about one folder that holds everything.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TopFolder<'a> {
    /// Keep paths as they are.
    None,
    /// Strip it if every entry is below it.
    Maybe(&'a str),
    /// Refuse a zip that has anything outside it.
    Exactly(&'a str),
}

/// One entry to unpack, by its index in the zip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// A directory; its path ends in `/`.
    Directory,
    /// A regular file.
    File(usize),
    /// A symbolic link, which unpacking refuses.
    Link(usize),
}

/// The entries of a zip by path, in the order of [`crate::tree`]'s hash.
pub(crate) struct Layout {
    pub(crate) items: BTreeMap<Vec<u8>, Item>,
    zip_bytes: u64,
}

impl Layout {
    /// Reads and checks the directory of a zip.
    pub(crate) fn read<R: Read + Seek>(
        mut zip: R,
        top: TopFolder<'_>,
    ) -> Result<(Self, ZipArchive<R>)> {
        let zip_bytes = zip
            .seek(std::io::SeekFrom::End(0))
            .map_err(|why| Error::io("read", "package", why))?;
        let mut archive =
            ZipArchive::new(zip).map_err(|why| bad(format!("package is not a zip: {why}")))?;
        if archive.len() > MAX_ENTRIES {
            return Err(bad(format!(
                "package has {} entries, more than {MAX_ENTRIES}",
                archive.len()
            )));
        }
        let mut items = BTreeMap::new();
        let mut declared = 0_u64;
        for index in 0..archive.len() {
            let entry = archive
                .by_index_raw(index)
                .map_err(|why| bad(format!("package is damaged: {why}")))?;
            let raw = entry.name_raw().to_vec();
            let Some(mut path) = clean_path(&raw)? else {
                continue;
            };
            if entry.encrypted() {
                return Err(bad(format!("package entry {} is encrypted", shown(&raw))));
            }
            let item = if raw.ends_with(b"/") {
                path.push(b'/');
                Item::Directory
            } else if entry.is_symlink() {
                Item::Link(index)
            } else {
                Item::File(index)
            };
            declared = declared.saturating_add(entry.size());
            let twice = items.insert(path, item).is_some();
            if twice && item != Item::Directory {
                return Err(bad(format!("package has {} twice", shown(&raw))));
            }
        }
        if declared > MAX_BYTES {
            return Err(bad(format!(
                "package unpacks to {declared} bytes, more than {MAX_BYTES}"
            )));
        }
        let mut layout = Self { items, zip_bytes };
        layout.strip(top)?;
        layout.refuse_files_as_folders()?;
        Ok((layout, archive))
    }

    /// What is directly inside, without trailing slashes.
    pub(crate) fn top_names(&self) -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> = self
            .items
            .keys()
            .filter_map(|path| path.split(|byte| *byte == b'/').next())
            .map(<[u8]>::to_vec)
            .collect();
        names.dedup();
        names
    }

    /// Whether nothing is inside a directory entry.
    pub(crate) fn is_empty_directory(&self, path: &[u8]) -> bool {
        use std::ops::Bound::{Excluded, Unbounded};
        self.items
            .range::<[u8], _>((Excluded(path), Unbounded))
            .next()
            .is_none_or(|(next, _)| !next.starts_with(path))
    }

    /// Only what is below a directory, by its path there.
    pub(crate) fn below(&self, folder: &[u8]) -> Self {
        let mut prefix = folder.to_vec();
        prefix.push(b'/');
        let items = self
            .items
            .iter()
            .filter(|(path, _)| path.len() > prefix.len() && path.starts_with(&prefix))
            .map(|(path, item)| (path[prefix.len()..].to_vec(), *item))
            .collect();
        Self {
            items,
            zip_bytes: self.zip_bytes,
        }
    }

    /// Only the file of this path.
    pub(crate) fn only(&self, path: &[u8]) -> Self {
        Self {
            items: self
                .items
                .get_key_value(path)
                .map(|(path, item)| (path.clone(), *item))
                .into_iter()
                .collect(),
            zip_bytes: self.zip_bytes,
        }
    }

    /// Leaves out entries whose path matches.
    pub(crate) fn leave_out(&mut self, unwanted: impl Fn(&[u8]) -> bool) {
        self.items.retain(|path, _| !unwanted(path));
    }

    /// How many bytes may still be unpacked, whatever the entries declare.
    pub(crate) fn budget(&self) -> u64 {
        MAX_BYTES.min(RATIO_FREE_BYTES.max(self.zip_bytes.saturating_mul(MAX_RATIO)))
    }

    /// Streams one entry's content, checksum verified at its end.
    pub(crate) fn copy<R: Read + Seek>(
        &self,
        archive: &mut ZipArchive<R>,
        index: usize,
        path: &[u8],
        budget: &mut u64,
        watch: &Watch,
        mut sink: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<u64> {
        let damaged = |why: &dyn std::fmt::Display| {
            bad(format!("package entry {} is damaged: {why}", shown(path)))
        };
        let mut entry = archive.by_index(index).map_err(|why| damaged(&why))?;
        let mut buffer = [0; 16 * 1024];
        let mut total = 0;
        loop {
            watch.check()?;
            let count = match entry.read(&mut buffer) {
                Ok(0) => return Ok(total),
                Ok(count) => count,
                Err(why) if why.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(why) => return Err(damaged(&why)),
            };
            total += count as u64;
            *budget = budget.checked_sub(count as u64).ok_or_else(|| {
                bad(format!(
                    "package of {} bytes unpacks to more than {} bytes",
                    self.zip_bytes,
                    self.budget()
                ))
            })?;
            sink(&buffer[..count])?;
        }
    }

    fn strip(&mut self, top: TopFolder<'_>) -> Result<()> {
        let (folder, required) = match top {
            TopFolder::None => return Ok(()),
            TopFolder::Maybe(folder) => (folder, false),
            TopFolder::Exactly(folder) => (folder, true),
        };
        let mut prefix = folder.as_bytes().to_vec();
        prefix.push(b'/');
        if self.items.is_empty() || self.items.keys().any(|path| !path.starts_with(&prefix)) {
            if !required {
                return Ok(());
            }
            let found: Vec<String> = self.top_names().iter().map(|name| shown(name)).collect();
            return Err(bad(match found.as_slice() {
                [] => format!("package is empty, expected the folder `{folder}`"),
                [one] if self.items.keys().all(|path| path.contains(&b'/')) => {
                    format!("package has the folder {one}, expected `{folder}`")
                }
                many => format!(
                    "package has no single top folder, expected `{folder}`, found {}",
                    many[..many.len().min(5)].join(", ")
                ),
            }));
        }
        self.items = std::mem::take(&mut self.items)
            .into_iter()
            .filter(|(path, _)| path.len() > prefix.len())
            .map(|(path, item)| (path[prefix.len()..].to_vec(), item))
            .collect();
        Ok(())
    }

    fn refuse_files_as_folders(&self) -> Result<()> {
        for (path, item) in &self.items {
            if *item == Item::Directory {
                continue;
            }
            let mut folder = path.clone();
            folder.push(b'/');
            let next = self.items.range(folder.clone()..).next();
            if next.is_some_and(|(next, _)| next.starts_with(&folder)) {
                return Err(bad(format!(
                    "package has {} both as a file and as a folder",
                    shown(path)
                )));
            }
        }
        Ok(())
    }
}

/// A path as it may be used below a directory, without a trailing slash; `None` for
/// entries that mean nothing (`./`, and the extra files macOS adds).
fn clean_path(raw: &[u8]) -> Result<Option<Vec<u8>>> {
    let refuse = |why: &str| Err(bad(format!("package entry {} {why}", shown(raw))));
    if raw.contains(&0) {
        return refuse("has a NUL byte in its name");
    }
    if raw.contains(&b'\\') {
        return refuse("has a backslash in its name");
    }
    if raw.starts_with(b"/") || raw.get(1) == Some(&b':') {
        return refuse("has an absolute path");
    }
    if raw.len() > MAX_PATH {
        return refuse("has too long a name");
    }
    let mut parts = Vec::new();
    for part in raw.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return refuse("climbs out of the package"),
            part if part.len() > 255 => return refuse("has too long a name"),
            part => parts.push(part),
        }
    }
    if parts.is_empty() || parts[0] == b"__MACOSX" {
        return Ok(None);
    }
    Ok(Some(parts.join(&b'/')))
}

fn bad(message: String) -> Error {
    Error::BadInput(message)
}

/// A foreign name for a message: bounded, printable, in backticks.
fn shown(name: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(&name[..name.len().min(120)])
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    format!("`{text}`")
}
