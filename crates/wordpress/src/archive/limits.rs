//! How much an archive may hold, and the counting that enforces it.

use super::{manifest::Totals, names};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

/// How much an archive may hold. For an archive whose sums are on record, use
/// [`Limits::of`]; the defaults are for those that come from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Entries of any kind.
    pub entries: u64,
    /// Unpacked bytes, all entries together.
    pub bytes: u64,
    /// Unpacked bytes of one entry.
    pub entry_bytes: u64,
    /// How many times larger than its packed bytes an entry, and the whole, may be;
    /// 0 is no such limit.
    pub ratio: u64,
    /// Unpacked bytes below which the ratio does not matter.
    pub ratio_free: u64,
    /// Bytes of all names and link targets together: they are held in memory.
    pub name_bytes: u64,
    /// Bytes of the archive itself; a zip is kept on disk while it is read.
    pub archive_bytes: u64,
    /// Bytes of the manifest.
    pub manifest_bytes: u64,
    /// Binary logarithm of the memory that unpacking zstd may take.
    pub window_log: u32,
}

/// Entries that an archive of ours may have: all are held in memory while it is packed
/// and while it is read back. [`super::Packer`] refuses what has more, so that nothing
/// is packed which could not be verified.
pub const MOST_ENTRIES: u64 = 1_000_000;
/// The manifest, and directories that have no entry of their own.
const BESIDES: u64 = 1000;

const GIB: u64 = 1024 * 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: MOST_ENTRIES + BESIDES,
            bytes: 256 * GIB,
            entry_bytes: 64 * GIB,
            ratio: 500,
            ratio_free: 64 * 1024 * 1024,
            name_bytes: GIB / 4,
            archive_bytes: 64 * GIB,
            manifest_bytes: GIB / 2,
            // What the program `zstd` takes unless told otherwise: 128 MiB.
            window_log: 27,
        }
    }
}

impl Limits {
    /// What is on record of an archive, but never more than [`Limits::default`] has: the
    /// record is what a site said of itself. Sparse files pack to next to nothing, so
    /// that only what is large as a whole must have some bytes to show for it.
    pub fn of(totals: &Totals) -> Self {
        let most = Self::default();
        let entries = totals.entries().saturating_add(BESIDES);
        Self {
            entries: entries.min(most.entries),
            bytes: totals.bytes.min(most.bytes),
            entry_bytes: totals.bytes.min(most.entry_bytes),
            // More than any zip, less than the 32768 of zstd's emptiest blocks.
            ratio: 2000,
            ratio_free: 16 * GIB,
            ..most
        }
    }

    /// Bytes that a manifest may have of this many entries with names of this length:
    /// nothing that came justifies more, and it is read into memory as a whole.
    pub(crate) fn manifest_of(&self, entries: u64, name_bytes: u64) -> u64 {
        const SLACK: u64 = 16 * 1024 * 1024;
        const EACH: u64 = 512;
        // A byte of a name takes at most six: `\u0000`.
        SLACK
            .saturating_add(entries.saturating_mul(EACH))
            .saturating_add(name_bytes.saturating_mul(6))
            .min(self.manifest_bytes)
    }
}

/// Counts what was unpacked.
pub(crate) struct Meter {
    limits: Limits,
    packed: Packed,
    entries: u64,
    bytes: u64,
    name_bytes: u64,
    entry_bytes: u64,
    entry_start: u64,
}

/// How far decoders read ahead of what they give out.
const READ_AHEAD: u64 = 256 * 1024;

impl Meter {
    pub(crate) fn new(limits: Limits, packed: Packed) -> Self {
        Self {
            limits,
            packed,
            entries: 0,
            bytes: 0,
            name_bytes: 0,
            entry_bytes: 0,
            entry_start: 0,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many bytes the manifest may have of what came.
    pub(crate) fn manifest_bytes(&self) -> u64 {
        self.limits.manifest_of(self.entries, self.name_bytes)
    }

    /// A name or a link's target is kept until the end.
    pub(crate) fn name(&mut self, name: &[u8]) -> Result<()> {
        self.name_bytes = self.name_bytes.saturating_add(name.len() as u64);
        if self.name_bytes > self.limits.name_bytes {
            return Err(Error::BadInput(format!(
                "archive has more than {} bytes of names",
                self.limits.name_bytes
            )));
        }
        Ok(())
    }

    /// An entry begins that says how large it is.
    pub(crate) fn entry(&mut self, path: &[u8], declared: u64) -> Result<()> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(over(&format!("more than {} entries", self.limits.entries)));
        }
        if declared > self.limits.entry_bytes {
            return Err(names::refused(
                path,
                &format!(
                    "has {declared} bytes, more than {}",
                    self.limits.entry_bytes
                ),
            ));
        }
        if self.bytes.saturating_add(declared) > self.limits.bytes {
            return Err(over(&format!("more than {} bytes", self.limits.bytes)));
        }
        self.entry_bytes = 0;
        self.entry_start = self.packed.get().saturating_sub(READ_AHEAD);
        Ok(())
    }

    /// Bytes of the entry came out.
    pub(crate) fn bytes(&mut self, path: &[u8], count: usize) -> Result<()> {
        let count = count as u64;
        self.entry_bytes += count;
        self.bytes += count;
        if self.entry_bytes > self.limits.entry_bytes {
            return Err(names::refused(
                path,
                &format!("has more than {} bytes", self.limits.entry_bytes),
            ));
        }
        if self.bytes > self.limits.bytes {
            return Err(over(&format!("more than {} bytes", self.limits.bytes)));
        }
        let packed = self.packed.get();
        if self.too_dense(self.entry_bytes, packed - self.entry_start.min(packed)) {
            return Err(names::refused(
                path,
                &format!("is packed more than {} times", self.limits.ratio),
            ));
        }
        if self.too_dense(self.bytes, packed) {
            return Err(over(&format!(
                "{} bytes in {packed}, more than {} times",
                self.bytes, self.limits.ratio
            )));
        }
        Ok(())
    }

    /// An entry is a copy of another, of which nothing was packed.
    pub(crate) fn copied(&mut self, bytes: u64) -> Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.bytes {
            return Err(over(&format!("more than {} bytes", self.limits.bytes)));
        }
        Ok(())
    }

    fn too_dense(&self, unpacked: u64, packed: u64) -> bool {
        self.limits.ratio > 0
            && unpacked > self.limits.ratio_free
            && unpacked / self.limits.ratio > packed
    }
}

fn over(what: &str) -> Error {
    Error::BadInput(format!("archive unpacks to {what}"))
}

/// How many packed bytes were read so far; clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Packed(Rc<Cell<u64>>);

impl Packed {
    pub(crate) fn get(&self) -> u64 {
        self.0.get()
    }
}

/// Counts and bounds what is read of an archive.
pub(crate) struct Counted<R> {
    inner: R,
    packed: Packed,
    limit: u64,
}

impl<R> Counted<R> {
    pub(crate) fn new(inner: R, packed: Packed, limit: u64) -> Self {
        Self {
            inner,
            packed,
            limit,
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        let total = self.packed.get() + count as u64;
        self.packed.0.set(total);
        if total > self.limit {
            return Err(io::Error::other(format!(
                "archive is larger than {} bytes",
                self.limit
            )));
        }
        Ok(count)
    }
}

impl<R: io::Seek> io::Seek for Counted<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
