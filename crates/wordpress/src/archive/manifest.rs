//! What an archive holds, as it says itself in its last entry.
//!
//! `manifest.json` is one JSON object whose first member is the word that tells it
//! from a site's own file of that name. Paths are strings; a path that is not UTF-8
//! is an object `{"hex": "…"}`. Hashes are SHA-256 in lower-case hex.

use crate::tree::{TreeHash, TreeHasher};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, fmt};

/// The first member of every manifest.
pub const FORMAT: &str = "pressroom-archive";
/// The version written; higher ones are refused.
pub const VERSION: u32 = 1;
/// The manifest's name in the archive.
pub const NAME: &str = "manifest.json";
/// How a file of that name must begin to be one.
pub(crate) const START: &[u8] = br#"{"format":"pressroom-archive""#;
/// How many left-out and changed paths are listed by name.
const MAX_LISTED: usize = 10_000;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// Of the format.
    pub version: u32,
    /// Everything in the archive but the manifest, in the archive's order.
    pub entries: Vec<ManifestEntry>,
    /// The trees among them.
    pub trees: Vec<PackedTree>,
    /// Over all entries.
    pub totals: Totals,
    /// What was found and not packed, by its path in the archive.
    pub left_out: Vec<LeftOut>,
    /// How many more were left out than are listed.
    pub left_out_more: u64,
    /// Files that were written to while they were read: their content here may be
    /// neither the earlier nor the later one.
    pub changed: Vec<EntryPath>,
    /// Symbolic links whose target is outside their tree; see
    /// [`super::OutsideLinks`].
    pub outside_links: Vec<EntryPath>,
}

/// A tree in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedTree {
    /// The directory in the archive that holds it, without slashes around; `""` is
    /// the archive itself.
    pub prefix: String,
    /// Where it was, relative to the home; empty where the archive does not say.
    pub source: String,
    /// Its hash as unpacked, by the rules of [`crate::tree`].
    pub tree: TreeHash,
    /// All paths, relative to the tree, that are left out and were there: what a
    /// restore by exchange has to carry over from the live tree, or it is lost.
    pub excluded: Vec<EntryPath>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// Path in the archive, no slash at its end.
    pub path: EntryPath,
    /// What it is.
    #[serde(flatten)]
    pub content: Content,
    /// Permission bits, as found.
    pub mode: u32,
    /// Last change, in whole seconds since 1970; earlier ones count as 0.
    pub mtime: u64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// A regular file.
    File {
        /// Bytes.
        size: u64,
        /// Of the content.
        sha256: Digest,
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Link {
        /// Its text.
        target: EntryPath,
    },
}

/// Something that is at the site and not in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Where it would be in the archive.
    pub path: EntryPath,
    /// Why it is not.
    #[serde(flatten)]
    pub why: Why,
}

/// Why something is not in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// A pattern matched it; of a directory, all below is left out as well.
    Excluded {
        /// The pattern.
        pattern: String,
    },
    /// What Pressroom itself keeps at the site.
    Ours,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block or character device.
    Device,
    /// It was gone, or something else, when it was to be read.
    Vanished,
    /// It may not be read.
    Unreadable {
        /// What the operating system said.
        message: String,
    },
    /// Its name cannot be stored in a zip: not UTF-8, or with a backslash.
    Name,
    /// Its path is too long or too deep to be unpacked again.
    TooLong,
}

/// Sums over entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Regular files.
    pub files: u64,
    /// Directories.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// A manifest without its entries, small enough to be kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The trees.
    pub trees: Vec<PackedTree>,
    /// Over all entries.
    pub totals: Totals,
    /// The first hundred that were left out.
    pub left_out: Vec<LeftOut>,
    /// How many more.
    pub left_out_more: u64,
    /// The first hundred that changed while they were read.
    pub changed: Vec<EntryPath>,
    /// The first hundred links that point outside.
    pub outside_links: Vec<EntryPath>,
}

impl Manifest {
    pub(crate) fn new() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            entries: Vec::new(),
            trees: Vec::new(),
            totals: Totals::default(),
            left_out: Vec::new(),
            left_out_more: 0,
            changed: Vec::new(),
            outside_links: Vec::new(),
        }
    }

    pub(crate) fn leave_out(&mut self, path: EntryPath, why: Why) {
        if self.left_out.len() < MAX_LISTED {
            self.left_out.push(LeftOut { path, why });
        } else {
            self.left_out_more += 1;
        }
    }

    /// The manifest without its entries.
    pub fn summary(&self) -> Summary {
        const SHOWN: usize = 100;
        let hidden = self.left_out.len().saturating_sub(SHOWN) as u64;
        Summary {
            trees: self.trees.clone(),
            totals: self.totals,
            left_out: self.left_out.iter().take(SHOWN).cloned().collect(),
            left_out_more: self.left_out_more + hidden,
            changed: self.changed.iter().take(SHOWN).cloned().collect(),
            outside_links: self.outside_links.iter().take(SHOWN).cloned().collect(),
        }
    }
}

impl Totals {
    /// Entries of all kinds.
    pub const fn entries(&self) -> u64 {
        self.files
            .saturating_add(self.directories)
            .saturating_add(self.links)
    }

    pub(crate) fn count(&mut self, content: &Content) {
        match content {
            Content::File { size, .. } => {
                self.files += 1;
                self.bytes = self.bytes.saturating_add(*size);
            }
            Content::Directory => self.directories += 1,
            Content::Link { .. } => self.links += 1,
        }
    }
}

/// The hash of the entries below a prefix, as [`crate::tree`] has it of a disk.
pub(crate) fn tree_of<'a>(
    entries: impl Iterator<Item = (&'a [u8], &'a Content)>,
    prefix: &str,
) -> TreeHash {
    let mut inside: Vec<(Vec<u8>, &Content)> = entries
        .filter_map(|(path, content)| Some((below(path, prefix)?, content)))
        .map(|(path, content)| {
            let mut path = path.to_vec();
            if *content == Content::Directory {
                path.push(b'/');
            }
            (path, content)
        })
        .collect();
    inside.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut hasher = TreeHasher::new();
    for (at, (path, content)) in inside.iter().enumerate() {
        match content {
            Content::File { size, sha256 } => hasher.hashed_file(path, &sha256.0, *size),
            Content::Link { target } => hasher.link(path, target.bytes()),
            // In this order, what is inside a directory follows it.
            Content::Directory => {
                let holds = inside
                    .get(at + 1)
                    .is_some_and(|(next, _)| next.starts_with(path));
                if !holds {
                    hasher.empty_directory(path);
                }
            }
        }
    }
    hasher.finish()
}

/// The path relative to a prefix; `None` when it is not below it.
pub(crate) fn below<'a>(path: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    if prefix.is_empty() {
        return Some(path);
    }
    path.strip_prefix(prefix.as_bytes())?.strip_prefix(b"/")
}

/// A path in an archive: bytes, mostly UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct EntryPath(Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Wire {
    Text(String),
    Bytes { hex: String },
}

impl EntryPath {
    /// From bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for EntryPath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<EntryPath> for Wire {
    fn from(path: EntryPath) -> Self {
        match String::from_utf8(path.0) {
            Ok(text) => Self::Text(text),
            Err(why) => Self::Bytes {
                hex: hex::encode(why.as_bytes()),
            },
        }
    }
}

impl TryFrom<Wire> for EntryPath {
    type Error = hex::FromHexError;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        Ok(Self(match wire {
            Wire::Text(text) => text.into_bytes(),
            Wire::Bytes { hex } => hex::decode(hex)?,
        }))
    }
}

impl fmt::Display for EntryPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for EntryPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), out)
    }
}

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(pub [u8; 32]);

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        hex::encode(digest.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(self.0))
    }
}

/// Path pairs that differ in the case of letters only: on a disk that does not
/// tell them apart, one would replace the other. The first hundred.
pub(crate) fn case_duplicates<'a>(paths: impl Iterator<Item = &'a [u8]>) -> Vec<EntryPath> {
    let mut paths: Vec<&[u8]> = paths.collect();
    paths.sort_unstable();
    let fold = |path: &[u8]| match std::str::from_utf8(path) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_) => path.to_ascii_lowercase(),
    };
    let mut folded = HashSet::new();
    paths
        .into_iter()
        .filter(|path| !folded.insert(fold(path)))
        .take(100)
        .map(|path| EntryPath::new(path.to_vec()))
        .collect()
}
