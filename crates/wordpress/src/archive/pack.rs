//! Writes an archive while reading the site.

use super::{
    ahead,
    excludes::Excludes,
    manifest::{self, Content, Digest, EntryPath, Manifest, ManifestEntry, PackedTree},
    names::{self, Rules},
    read::{self, Body, Buffers, Bundle, Piece},
    walk::Walk,
    write::{self, Chunks, Head, Writer},
};
use crate::{
    Error, Result,
    home::{Home, STATE_DIR},
    package,
    tree::TreeHash,
    watch::Watch,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
};

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A tar in zstd: keeps every name as it is.
    TarZst,
    /// A zip, with 64-bit sizes where they are needed.
    Zip,
}

/// How a [`Packer`] works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackerOptions {
    /// The format.
    pub format: Format,
    /// zstd's level, 1 to 19; of no meaning for a zip.
    pub level: i32,
    /// Threads; 0 is one for each processor, up to eight. The archive does not
    /// depend on it.
    pub threads: u32,
}

/// Which files are packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeOptions {
    /// A directory of the home, e.g. the root of a site, its `wp-content`, or one
    /// plugin's.
    pub source: String,
    /// Whether [`super::USUAL_EXCLUDES`] are left out.
    pub usual_excludes: bool,
    /// More patterns of what is left out, held against paths relative to `source`.
    /// One without a slash is held against every name; `*`, `?` and `**` as usual.
    pub exclude: Vec<String>,
}

/// What [`pack`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackOptions {
    /// How.
    pub packer: PackerOptions,
    /// The directory in the archive that holds the tree, e.g. `files`.
    pub prefix: String,
    /// What.
    pub tree: TreeOptions,
}

impl PackerOptions {
    /// zstd's level 3, all processors.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            level: 3,
            threads: 0,
        }
    }
}

impl TreeOptions {
    /// A directory without what is usually left out.
    pub fn new(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            usual_excludes: true,
            exclude: Vec::new(),
        }
    }
}

/// Packs one tree; the manifest comes back as it stands in the archive.
pub fn pack(
    home: &Home,
    options: &PackOptions,
    out: &mut dyn Write,
    watch: &Watch,
) -> Result<Manifest> {
    let mut packer = Packer::new(home, &options.packer, out, watch)?;
    packer.add_tree(&options.prefix, &options.tree)?;
    packer.finish()
}

/// An archive being written: trees, and files that are made for it. Without
/// [`Packer::finish`] it is no archive.
pub struct Packer<'a> {
    home: &'a Home,
    watch: &'a Watch,
    writer: Writer<'a>,
    rules: Rules,
    threads: usize,
    manifest: Manifest,
    /// First parts of the paths that are taken.
    taken: Vec<String>,
}

impl<'a> Packer<'a> {
    /// Begins an archive.
    pub fn new(
        home: &'a Home,
        options: &PackerOptions,
        out: &'a mut dyn Write,
        watch: &'a Watch,
    ) -> Result<Self> {
        if !(1..=19).contains(&options.level) {
            return Err(Error::BadInput(format!(
                "compression level {} is not between 1 and 19",
                options.level
            )));
        }
        let threads = match options.threads {
            0 => ahead::processors(),
            some => usize::try_from(some).unwrap_or(1).min(64),
        };
        let (writer, rules) = match options.format {
            Format::TarZst => {
                let workers = u32::try_from(threads).unwrap_or(1);
                (Writer::tar(out, options.level, workers)?, Rules::Tar)
            }
            Format::Zip => (Writer::zip(out), Rules::Zip),
        };
        Ok(Self {
            home,
            watch,
            writer,
            rules,
            threads,
            manifest: Manifest::new(),
            taken: vec![manifest::NAME.to_owned()],
        })
    }

    /// Adds a directory of the home as `prefix`, which is one plain name. What was
    /// left out, changed or points outside stands in the manifest.
    pub fn add_tree(&mut self, prefix: &str, options: &TreeOptions) -> Result<TreeHash> {
        self.take(prefix)?;
        let source = options.source.trim_end_matches('/');
        let source = if source == "." { "" } else { source };
        let base = self.home.resolve(source)?;
        let excludes = Excludes::new(source, options.usual_excludes, &options.exclude)?;
        let ours = if source.is_empty() {
            vec![STATE_DIR.as_bytes().to_vec()]
        } else {
            Vec::new()
        };
        let first = self.manifest.entries.len();
        let what = Walk {
            base: &base,
            excludes: &excludes,
            ours: &ours,
            rules: self.rules,
            watch: self.watch,
        };
        let (watch, rules, threads) = (self.watch, self.rules, self.threads);
        let buffers = Buffers::default();
        let mut adding = Adding {
            packer: self,
            prefix,
            buffers: &buffers,
            large: None,
        };
        ahead::ordered(
            threads,
            |give| read::feed(&what, give),
            |items, give| {
                read::read(items, &buffers, watch, &mut |piece| {
                    give(Job::of(piece, prefix, rules))
                });
            },
            |job| adding.take(job),
        )?;
        // A reader gives up silently when the watch runs out.
        watch.check()?;
        let entries = self.manifest.entries[first..]
            .iter()
            .map(|entry| (entry.path.bytes(), &entry.content));
        let tree = manifest::tree_of(entries, prefix);
        self.manifest.trees.push(PackedTree {
            prefix: prefix.to_owned(),
            source: source.to_owned(),
            tree: tree.clone(),
        });
        Ok(tree)
    }

    /// Adds a file that comes as a stream. `name` is one plain name, e.g.
    /// `database.sql`.
    pub fn add_stream(&mut self, name: &str, input: &mut dyn Read) -> Result<()> {
        let watch = self.watch;
        self.add_written(name, |out| {
            let mut buffer = vec![0; 128 * 1024];
            loop {
                watch.check()?;
                match input.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(count) => out.write_all(&buffer[..count]).map_err(write::failed)?,
                    Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                    Err(why) => return Err(Error::io("read", name, why)),
                }
            }
        })
    }

    /// Adds a file that `fill` writes, and gives back what that gave. A tar needs
    /// to know its size beforehand: it is kept, compressed, in a nameless file of
    /// the home meanwhile. After a failure the archive cannot be finished.
    pub fn add_written<T>(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> Result<T>,
    ) -> Result<T> {
        self.take(name)?;
        let head = Head {
            path: name.as_bytes(),
            mode: 0o600,
            mtime: 0,
        };
        let watch = self.watch;
        let (made, size, sha256) = if self.rules == Rules::Zip {
            // Its size stands behind it. It may need 64 bits: nobody knows.
            self.writer.begin(head, u64::MAX)?;
            let mut out = Hashed::new(Chunks(&mut self.writer));
            let made = fill(&mut out)?;
            let (_, size, sha256) = out.end();
            (made, size, sha256)
        } else {
            let aside = nameless(self.home)?;
            let spool = zstd::Encoder::new(&aside, 1).map_err(write::failed)?;
            let mut out = Hashed::new(spool);
            let made = fill(&mut out)?;
            let (spool, size, sha256) = out.end();
            spool.finish().map_err(spool_failed)?;
            (&aside).rewind().map_err(spool_failed)?;
            self.writer.begin(head, size)?;
            let mut back = zstd::Decoder::new(&aside).map_err(spool_failed)?;
            let mut buffer = vec![0; 128 * 1024];
            let mut left = size;
            while left > 0 {
                watch.check()?;
                let count = back.read(&mut buffer).map_err(spool_failed)?;
                if count == 0 || count as u64 > left {
                    return Err(spool_failed(io::ErrorKind::UnexpectedEof.into()));
                }
                self.writer.chunk(&buffer[..count])?;
                left -= count as u64;
            }
            self.writer.end(size)?;
            (made, size, sha256)
        };
        self.entry(head, Content::File { size, sha256 });
        Ok(made)
    }

    /// Writes the manifest and the end; gives the manifest back.
    pub fn finish(mut self) -> Result<Manifest> {
        self.watch.check()?;
        write::write_manifest(&mut self.writer, &self.manifest)?;
        self.writer.finish()?;
        Ok(self.manifest)
    }

    /// Takes a name at the top of the archive.
    fn take(&mut self, name: &str) -> Result<()> {
        self.watch.check()?;
        let plain = !name.contains('/')
            && names::clean(name.as_bytes(), Rules::Zip)
                .is_ok_and(|clean| clean == name.as_bytes())
            && name != ".";
        if !plain {
            return Err(Error::BadInput(format!(
                "`{}` cannot be the name of an archive's entry",
                name.chars().take(100).collect::<String>()
            )));
        }
        if self.taken.iter().any(|taken| taken == name) {
            return Err(Error::BadInput(format!("archive already has `{name}`")));
        }
        self.taken.push(name.to_owned());
        Ok(())
    }

    fn entry(&mut self, head: Head<'_>, content: Content) {
        self.manifest.totals.count(&content);
        self.manifest.entries.push(ManifestEntry {
            path: EntryPath::new(head.path.to_vec()),
            content,
            mode: head.mode,
            mtime: head.mtime,
        });
    }
}

/// A piece of a tree, for a zip with its files compressed already.
struct Job {
    piece: Piece,
    prepared: Vec<Result<zip::write::PreparedZipFile>>,
}

impl Job {
    fn of(piece: Piece, prefix: &str, rules: Rules) -> Self {
        let mut prepared = Vec::new();
        if let Piece::Whole(bundle) = &piece
            && rules == Rules::Zip
        {
            for (path, body) in &bundle.items {
                if let Body::File {
                    range, mode, mtime, ..
                } = body
                {
                    let path = join(prefix, path);
                    let head = Head {
                        path: &path,
                        mode: *mode,
                        mtime: *mtime,
                    };
                    prepared.push(write::prepare(head, &bundle.data[range.clone()]));
                }
            }
        }
        Self { piece, prepared }
    }
}

/// A tree on its way into the archive.
struct Adding<'p, 'a> {
    packer: &'p mut Packer<'a>,
    prefix: &'p str,
    buffers: &'p Buffers,
    large: Option<(Vec<u8>, u64, u32, u64)>,
}

impl Adding<'_, '_> {
    fn take(&mut self, job: Job) -> Result<()> {
        self.packer.watch.check()?;
        match job.piece {
            Piece::Whole(bundle) => self.bundle(bundle, job.prepared),
            Piece::Begin {
                path,
                size,
                mode,
                mtime,
            } => {
                let path = join(self.prefix, &path);
                let head = Head {
                    path: &path,
                    mode,
                    mtime,
                };
                self.packer.writer.begin(head, size)?;
                self.large = Some((path, size, mode, mtime));
                Ok(())
            }
            Piece::Chunk(chunk) => {
                self.packer.writer.chunk(&chunk)?;
                self.buffers.put(chunk);
                Ok(())
            }
            Piece::End { sha256, changed } => {
                let Some((path, size, mode, mtime)) = self.large.take() else {
                    return Ok(());
                };
                self.packer.writer.end(size)?;
                let head = Head {
                    path: &path,
                    mode,
                    mtime,
                };
                self.file(head, size, sha256, changed);
                Ok(())
            }
        }
    }

    fn bundle(
        &mut self,
        bundle: Bundle,
        prepared: Vec<Result<zip::write::PreparedZipFile>>,
    ) -> Result<()> {
        let mut prepared = prepared.into_iter();
        for (path, body) in bundle.items {
            let path = join(self.prefix, &path);
            let head = |mode, mtime| Head {
                path: &path,
                mode,
                mtime,
            };
            match body {
                Body::Directory { mode, mtime } => {
                    self.packer.writer.directory(head(mode, mtime))?;
                    self.packer.entry(head(mode, mtime), Content::Directory);
                }
                Body::Link { target, mtime } => {
                    let head = head(0o777, mtime);
                    self.packer.writer.link(head, &target)?;
                    if !names::stays(&path, &target, 1) {
                        let outside = EntryPath::new(path.clone());
                        self.packer.manifest.outside_links.push(outside);
                    }
                    let target = EntryPath::new(target);
                    self.packer.entry(head, Content::Link { target });
                }
                Body::LeftOut(why) => {
                    self.packer.manifest.leave_out(EntryPath::new(path), why);
                }
                Body::File {
                    range,
                    mode,
                    mtime,
                    sha256,
                    changed,
                } => {
                    let head = head(mode, mtime);
                    let size = range.len() as u64;
                    match prepared.next() {
                        Some(file) => self.packer.writer.prepared(file?)?,
                        None => self.packer.writer.file(head, &bundle.data[range])?,
                    }
                    self.file(head, size, sha256, changed);
                }
            }
        }
        self.buffers.put(bundle.data);
        Ok(())
    }

    fn file(&mut self, head: Head<'_>, size: u64, sha256: Digest, changed: bool) {
        if changed {
            let path = EntryPath::new(head.path.to_vec());
            self.packer.manifest.changed.push(path);
        }
        self.packer.entry(head, Content::File { size, sha256 });
    }
}

fn join(prefix: &str, path: &[u8]) -> Vec<u8> {
    let mut joined = prefix.as_bytes().to_vec();
    if !path.is_empty() {
        joined.push(b'/');
        joined.extend_from_slice(path);
    }
    joined
}

/// Counts and hashes what is written.
struct Hashed<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W: Write> Hashed<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            size: 0,
        }
    }

    fn end(self) -> (W, u64, Digest) {
        (self.inner, self.size, Digest(self.hash.finalize().into()))
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is gone with its handle.
pub(super) fn nameless(home: &Home) -> Result<File> {
    // The lowest epoch: what is left by a kill between these lines is swept.
    let name = package::handle(Epoch::ZERO)? + "-spool";
    let path = home.state_subdir("staging")?.join(name);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|why| Error::io("create", &path, why))?;
    fs::remove_file(&path).map_err(|why| Error::io("remove", &path, why))?;
    Ok(file)
}

fn spool_failed(why: io::Error) -> Error {
    Error::io("read back", "database dump", why)
}
