//! Takes the entries of an archive one by one, whatever the format: refuses what
//! must not be, hashes what comes, and at the end holds it against the manifest.

use super::{
    limits::{Limits, Meter, Packed},
    manifest::{self, Content, Digest, EntryPath, Manifest, PackedTree, Totals},
    names::{self, Rules, refused, shown},
};
use crate::{Error, Result, watch::Watch};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{HashMap, hash_map},
    io::{self, Read},
};

/// What reading an archive to its end showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Whether the archive has a manifest. If so, every entry is there, none more,
    /// with the hash it should have, and so have the trees. If not, only names and
    /// sizes were checked.
    pub has_manifest: bool,
    /// The trees; of an archive without a manifest one, with the prefix `""`.
    pub trees: Vec<PackedTree>,
    /// Over all entries but the manifest.
    pub totals: Totals,
    /// Files at the top that belong to no tree, e.g. `database.sql`.
    pub files: Vec<String>,
    /// Paths that differ from another one in the case of letters only.
    pub case_duplicates: Vec<EntryPath>,
    /// Symbolic links that point out of their tree.
    pub outside_links: Vec<EntryPath>,
}

/// Where the entries go.
pub(super) trait Sink {
    /// Makes a directory; those above it are there.
    fn directory(&mut self, path: &[u8]) -> Result<()>;
    /// A file begins.
    fn begin(&mut self, path: &[u8]) -> Result<()>;
    /// Its content, part by part.
    fn data(&mut self, bytes: &[u8]) -> Result<()>;
    /// It ends.
    fn end(&mut self, attributes: Attributes) -> Result<()>;
    /// A symbolic link.
    fn link(&mut self, path: &[u8], target: &[u8], mtime: u64) -> Result<()>;
    /// A file with the content of one that came before.
    fn copy(&mut self, path: &[u8], from: &[u8], attributes: Attributes) -> Result<()>;
}

/// What an entry's header says beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) mode: u32,
    pub(super) mtime: u64,
}

/// One entry as it came.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) content: Content,
    pub(super) attributes: Attributes,
    /// Made only because something is in it.
    implied: bool,
    confirmed: bool,
    /// The manifest says other attributes than the header did.
    pub(super) restamped: bool,
}

pub(super) struct Intake<'a> {
    pub(super) meter: Meter,
    pub(super) watch: &'a Watch,
    pub(super) packed: Packed,
    rules: Rules,
    sink: &'a mut dyn Sink,
    seen: HashMap<Vec<u8>, Seen>,
    manifest: Option<Manifest>,
    buffer: Vec<u8>,
}

/// Attributes of what the archive does not describe.
const IMPLIED: Attributes = Attributes {
    mode: 0o755,
    mtime: 0,
};

impl<'a> Intake<'a> {
    pub(super) fn new(
        limits: Limits,
        rules: Rules,
        sink: &'a mut dyn Sink,
        watch: &'a Watch,
    ) -> Self {
        let packed = Packed::default();
        Self {
            meter: Meter::new(limits, packed.clone()),
            packed,
            watch,
            rules,
            sink,
            seen: HashMap::new(),
            manifest: None,
            buffer: vec![0; 128 * 1024],
        }
    }

    pub(super) fn directory(&mut self, raw: &[u8], attributes: Attributes) -> Result<()> {
        let path = self.open(raw, 0)?;
        if path.is_empty() {
            return Ok(());
        }
        let explicit = Seen {
            content: Content::Directory,
            attributes,
            implied: false,
            confirmed: false,
            restamped: false,
        };
        match self.seen.entry(path) {
            // A directory may be described after what is in it, and twice.
            hash_map::Entry::Occupied(mut found) if found.get().content.is_directory() => {
                found.insert(explicit);
                Ok(())
            }
            hash_map::Entry::Occupied(_) => Err(refused(raw, "is there twice")),
            hash_map::Entry::Vacant(free) => {
                self.sink.directory(free.key())?;
                free.insert(explicit);
                Ok(())
            }
        }
    }

    pub(super) fn file(
        &mut self,
        raw: &[u8],
        declared: u64,
        attributes: Attributes,
        input: &mut dyn Read,
    ) -> Result<()> {
        // The manifest has a limit of its own.
        let manifest = raw == manifest::NAME.as_bytes();
        let path = self.open(raw, if manifest { 0 } else { declared })?;
        self.vacant(raw, &path)?;
        if manifest {
            return self.maybe_manifest(path, declared, attributes, input);
        }
        self.plain_file(path, declared, attributes, input)
    }

    fn plain_file(
        &mut self,
        path: Vec<u8>,
        declared: u64,
        attributes: Attributes,
        input: &mut dyn Read,
    ) -> Result<()> {
        self.sink.begin(&path)?;
        let mut hash = Sha256::new();
        let mut size = 0;
        loop {
            self.watch.check()?;
            let count = match input.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) => {
                    self.watch.check()?;
                    return Err(refused(&path, &format!("is damaged: {why}")));
                }
            };
            self.meter.bytes(&path, count)?;
            hash.update(&self.buffer[..count]);
            self.sink.data(&self.buffer[..count])?;
            size += count as u64;
        }
        if size != declared {
            return Err(refused(
                &path,
                &format!("has {size} bytes and says {declared}"),
            ));
        }
        self.sink.end(attributes)?;
        let sha256 = Digest(hash.finalize().into());
        self.insert(path, Content::File { size, sha256 }, attributes);
        Ok(())
    }

    /// A file named like a manifest is one if it begins like one.
    fn maybe_manifest(
        &mut self,
        path: Vec<u8>,
        declared: u64,
        attributes: Attributes,
        input: &mut dyn Read,
    ) -> Result<()> {
        let mut start = Vec::new();
        let damaged = |why: &dyn std::fmt::Display| {
            Error::BadInput(format!("archive's manifest is damaged: {why}"))
        };
        let length = manifest::START.len() as u64;
        (&mut *input)
            .take(length)
            .read_to_end(&mut start)
            .map_err(|why| damaged(&why))?;
        if start != manifest::START {
            self.meter.entry(&path, declared)?;
            return self.plain_file(
                path,
                declared,
                attributes,
                &mut start.as_slice().chain(input),
            );
        }
        let limit = self.meter.manifest_bytes();
        if declared > limit {
            return Err(damaged(&format!("it is larger than {limit} bytes")));
        }
        let mut bytes = start;
        loop {
            self.watch.check()?;
            let count = match input.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) => return Err(damaged(&why)),
            };
            if bytes.len() as u64 + count as u64 > declared {
                return Err(damaged(&"it is longer than it says"));
            }
            bytes.extend_from_slice(&self.buffer[..count]);
        }
        let found: Manifest = serde_json::from_slice(&bytes).map_err(|why| damaged(&why))?;
        if found.version != manifest::VERSION {
            return Err(Error::BadInput(format!(
                "archive has format version {}, this program reads {}",
                found.version,
                manifest::VERSION
            )));
        }
        self.manifest = Some(found);
        Ok(())
    }

    pub(super) fn link(&mut self, raw: &[u8], target: &[u8], mtime: u64) -> Result<()> {
        let path = self.open(raw, 0)?;
        self.vacant(raw, &path)?;
        if target.is_empty() || target.contains(&0) || target.len() > names::MAX_PATH {
            return Err(refused(raw, "is a link with an impossible target"));
        }
        self.meter.name(target)?;
        self.sink.link(&path, target, mtime)?;
        let target = EntryPath::new(target.to_vec());
        let attributes = Attributes { mode: 0o777, mtime };
        self.insert(path, Content::Link { target }, attributes);
        Ok(())
    }

    /// A hard link: a second file of the same content.
    pub(super) fn hard_link(
        &mut self,
        raw: &[u8],
        target: &[u8],
        attributes: Attributes,
    ) -> Result<()> {
        let from = names::clean(target, self.rules)?;
        let Some(Seen { content, .. }) = self.seen.get(&from) else {
            return Err(refused(raw, "is a hard link to what is not in the archive"));
        };
        let Content::File { size, .. } = content else {
            return Err(refused(raw, "is a hard link to what is no file"));
        };
        let (size, content) = (*size, content.clone());
        let path = self.open(raw, size)?;
        self.vacant(raw, &path)?;
        self.meter.copied(size)?;
        self.sink.copy(&path, &from, attributes)?;
        self.insert(path, content, attributes);
        Ok(())
    }

    /// Counts an entry and gives its clean path.
    fn open(&mut self, raw: &[u8], declared: u64) -> Result<Vec<u8>> {
        self.watch.check()?;
        if self.manifest.is_some() {
            return Err(refused(raw, "follows the manifest"));
        }
        self.meter.entry(raw, declared)?;
        let path = names::clean(raw, self.rules)?;
        self.meter.name(&path)?;
        if let Some(end) = path.iter().rposition(|byte| *byte == b'/') {
            self.make_above(raw, &path[..end])?;
        }
        Ok(path)
    }

    /// Sees to it that a directory is there, and those above it.
    fn make_above(&mut self, raw: &[u8], path: &[u8]) -> Result<()> {
        match self.seen.get(path) {
            Some(seen) if seen.content.is_directory() => return Ok(()),
            Some(_) => return Err(refused(raw, "is below what is no directory")),
            None => {}
        }
        if let Some(end) = path.iter().rposition(|byte| *byte == b'/') {
            self.make_above(raw, &path[..end])?;
        }
        self.meter.entry(raw, 0)?;
        self.meter.name(path)?;
        self.sink.directory(path)?;
        self.insert(path.to_vec(), Content::Directory, IMPLIED);
        if let Some(seen) = self.seen.get_mut(path) {
            seen.implied = true;
        }
        Ok(())
    }

    fn vacant(&self, raw: &[u8], path: &[u8]) -> Result<()> {
        match self.seen.get(path) {
            _ if path.is_empty() => Err(refused(raw, "has no name")),
            None => Ok(()),
            Some(seen) if seen.content.is_directory() => {
                Err(refused(raw, "is both a directory and something else"))
            }
            Some(_) => Err(refused(raw, "is there twice")),
        }
    }

    fn insert(&mut self, path: Vec<u8>, content: Content, attributes: Attributes) {
        self.seen.insert(
            path,
            Seen {
                content,
                attributes,
                implied: false,
                confirmed: false,
                restamped: false,
            },
        );
    }

    /// After the last entry: what is there, and whether it is what the manifest
    /// says.
    pub(super) fn finish(mut self) -> Result<(Checked, HashMap<Vec<u8>, Seen>)> {
        let manifest = self.manifest.take();
        if let Some(manifest) = &manifest {
            self.compare(manifest)?;
        }
        let mut totals = Totals::default();
        self.seen
            .values()
            .filter(|seen| !seen.implied || manifest.is_none())
            .for_each(|seen| totals.count(&seen.content));
        let entries = || {
            self.seen
                .iter()
                .map(|(path, seen)| (path.as_slice(), &seen.content))
        };
        let trees = match &manifest {
            Some(manifest) => manifest.trees.clone(),
            None => vec![PackedTree {
                prefix: String::new(),
                source: String::new(),
                tree: manifest::tree_of(entries(), ""),
                excluded: Vec::new(),
            }],
        };
        for packed in &trees {
            if manifest::tree_of(entries(), &packed.prefix) != packed.tree {
                return Err(unlike(&format!(
                    "the tree `{}` has another hash",
                    packed.prefix
                )));
            }
        }
        if manifest
            .as_ref()
            .is_some_and(|manifest| manifest.totals != totals)
        {
            return Err(unlike("the sums differ"));
        }
        let mut outside_links: Vec<EntryPath> = entries()
            .filter(|(path, content)| match content {
                Content::Link { target } => {
                    let inside = trees
                        .iter()
                        .find(|tree| manifest::below(path, &tree.prefix).is_some());
                    let floor = inside.map_or(0, |tree| usize::from(!tree.prefix.is_empty()));
                    !names::stays(path, target.bytes(), floor)
                }
                _ => false,
            })
            .map(|(path, _)| EntryPath::new(path.to_vec()))
            .collect();
        outside_links.sort_unstable();
        let mut files: Vec<String> = entries()
            .filter(|(path, content)| {
                !path.contains(&b'/') && matches!(content, Content::File { .. })
            })
            .map(|(path, _)| String::from_utf8_lossy(path).into_owned())
            .take(1000)
            .collect();
        files.sort_unstable();
        let checked = Checked {
            has_manifest: manifest.is_some(),
            trees,
            totals,
            files: if manifest.is_some() {
                files
            } else {
                Vec::new()
            },
            case_duplicates: manifest::case_duplicates(self.seen.keys().map(Vec::as_slice)),
            outside_links,
        };
        Ok((checked, self.seen))
    }

    /// Fails unless the manifest lists exactly what came; takes attributes from it.
    fn compare(&mut self, manifest: &Manifest) -> Result<()> {
        let (mut missing, mut changed) = (Vec::new(), Vec::new());
        for entry in &manifest.entries {
            let path = entry.path.bytes();
            match self.seen.get_mut(path) {
                Some(seen) if seen.confirmed => {
                    return Err(unlike(&format!("it lists {} twice", shown(path))));
                }
                Some(seen) => {
                    seen.confirmed = true;
                    let stated = Attributes {
                        mode: entry.mode,
                        mtime: entry.mtime,
                    };
                    seen.restamped = seen.attributes != stated;
                    seen.attributes = stated;
                    seen.implied = false;
                    if seen.content != entry.content {
                        changed.push(path);
                    }
                }
                None => missing.push(path),
            }
        }
        let unexpected: Vec<&[u8]> = self
            .seen
            .iter()
            .filter(|(_, seen)| !seen.confirmed && !seen.implied)
            .map(|(path, _)| path.as_slice())
            .collect();
        let mut said = Vec::new();
        for (word, mut paths) in [
            ("changed", changed),
            ("missing", missing),
            ("unexpected", unexpected),
        ] {
            if !paths.is_empty() {
                paths.sort_unstable();
                let some: Vec<String> = paths.iter().take(5).map(|path| shown(path)).collect();
                said.push(format!("{} {word} ({})", paths.len(), some.join(", ")));
            }
        }
        if said.is_empty() {
            return Ok(());
        }
        Err(unlike(&said.join(", ")))
    }
}

fn unlike(why: &str) -> Error {
    Error::BadInput(format!("archive is not what its manifest says: {why}"))
}

/// Keeps nothing.
pub(super) struct Nowhere;

impl Sink for Nowhere {
    fn directory(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn begin(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn data(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn end(&mut self, _: Attributes) -> Result<()> {
        Ok(())
    }
    fn link(&mut self, _: &[u8], _: &[u8], _: u64) -> Result<()> {
        Ok(())
    }
    fn copy(&mut self, _: &[u8], _: &[u8], _: Attributes) -> Result<()> {
        Ok(())
    }
}
