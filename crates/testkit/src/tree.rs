//! What a directory contains, read with the tests' own eyes: never through the
//! engine whose claims are being checked.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

/// Every entry below a directory, by relative path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    File(String),
    Link(String),
    Directory,
}

impl Tree {
    /// Reads a directory; symbolic links are entries, never followed.
    pub fn of_directory(root: &Path) -> Result<Self> {
        let mut entries = BTreeMap::new();
        walk(root, "", &mut entries)
            .with_context(|| format!("cannot read the tree {}", root.display()))?;
        Ok(Self { entries })
    }

    /// Reads the folder `slug` of a package.
    pub fn of_package(package: &[u8], slug: &str) -> Result<Self> {
        let mut archive = zip::ZipArchive::new(Cursor::new(package))?;
        let mut entries = BTreeMap::new();
        for index in 0..archive.len() {
            let mut file = archive.by_index(index)?;
            let Some(relative) = file
                .name()?
                .strip_prefix(slug)
                .and_then(|rest| rest.strip_prefix('/'))
                .filter(|rest| !rest.is_empty())
                .map(|rest| rest.trim_end_matches('/').to_owned())
            else {
                continue;
            };
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            let entry = if file.is_dir() {
                Entry::Directory
            } else if file.is_symlink() {
                Entry::Link(String::from_utf8_lossy(&content).into_owned())
            } else {
                Entry::File(digest(&content))
            };
            // Zips need not list directories; a disk always has them.
            let mut parent = relative.as_str();
            while let Some((above, _)) = parent.rsplit_once('/') {
                entries.entry(above.to_owned()).or_insert(Entry::Directory);
                parent = above;
            }
            entries.insert(relative, entry);
        }
        Ok(Self { entries })
    }

    /// One value that is equal for equal trees.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        for (path, entry) in &self.entries {
            hasher.update(format!("{path}\0{entry:?}\n"));
        }
        hex::encode(hasher.finalize())
    }

    /// How many regular files there are.
    pub fn files(&self) -> usize {
        self.entries
            .values()
            .filter(|entry| matches!(entry, Entry::File(_)))
            .count()
    }

    /// The paths in it.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// What `after` has more, fewer or other, one line each; empty when equal.
    pub fn difference(&self, after: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, entry) in &self.entries {
            match after.entries.get(path) {
                None => lines.push(format!("- {path}")),
                Some(other) if other != entry => lines.push(format!("~ {path}")),
                Some(_) => {}
            }
        }
        for path in after.entries.keys() {
            if !self.entries.contains_key(path) {
                lines.push(format!("+ {path}"));
            }
        }
        lines
    }
}

fn walk(directory: &Path, prefix: &str, entries: &mut BTreeMap<String, Entry>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let relative = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            entries.insert(relative, Entry::Link(target.to_string_lossy().into_owned()));
        } else if kind.is_dir() {
            entries.insert(relative.clone(), Entry::Directory);
            walk(&entry.path(), &relative, entries)?;
        } else if kind.is_file() {
            entries.insert(relative, Entry::File(digest(&fs::read(entry.path())?)));
        }
    }
    Ok(())
}

fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::PluginPackage;

    #[test]
    fn a_package_and_its_unpacked_tree_are_equal() {
        let package = PluginPackage::new("sample").files(7).zip();
        let scratch = crate::Scratch::new().expect("a directory can be made");
        zip::ZipArchive::new(Cursor::new(&package))
            .expect("a readable zip")
            .extract(scratch.path())
            .expect("it unpacks");
        let unpacked = Tree::of_directory(&scratch.path().join("sample")).expect("it is there");
        let packed = Tree::of_package(&package, "sample").expect("it is readable");
        assert_eq!(packed.difference(&unpacked), Vec::<String>::new());
        assert_eq!(packed.hash(), unpacked.hash());
        assert_eq!(packed.files(), 8);
    }
}
