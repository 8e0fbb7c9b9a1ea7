//! A tree on its way into an archive.

use super::{
    ahead,
    excludes::Excludes,
    manifest::{self, Content, Digest, EntryPath, PackedTree, Why},
    names::{self, Rules},
    pack::{Packer, TreeOptions},
    read::{self, Body, Buffers, Bundle, Piece},
    walk::Walk,
    write::{self, Head},
};
use crate::{Result, home::STATE_DIR, tree::TreeHash};

impl Packer<'_> {
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
            excluded: Vec::new(),
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
        let left_out = adding.excluded;
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
            excluded: left_out,
        });
        Ok(tree)
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
    /// Path, size, mode and time of the file that is under way.
    large: Option<(Vec<u8>, u64, u32, u64)>,
    excluded: Vec<EntryPath>,
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
                self.file(head, size, sha256, changed)?;
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
        for (below, body) in bundle.items {
            let path = join(self.prefix, &below);
            let head = |mode, mtime| Head {
                path: &path,
                mode,
                mtime,
            };
            match body {
                Body::Directory { mode, mtime } => {
                    self.packer.writer.directory(head(mode, mtime))?;
                    self.packer.entry(head(mode, mtime), Content::Directory)?;
                }
                Body::Link { target, mtime } => {
                    let head = head(0o777, mtime);
                    self.packer.writer.link(head, &target)?;
                    if !names::stays(&path, &target, 1) {
                        let outside = EntryPath::new(path.clone());
                        self.packer.manifest.outside_links.push(outside);
                    }
                    let target = EntryPath::new(target);
                    self.packer.entry(head, Content::Link { target })?;
                }
                Body::LeftOut(why) => {
                    // What is only not here goes over when the archive is unpacked.
                    if !matches!(why, Why::Vanished) {
                        self.excluded.push(EntryPath::new(below));
                    }
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
                    self.file(head, size, sha256, changed)?;
                }
            }
        }
        self.buffers.put(bundle.data);
        Ok(())
    }

    fn file(&mut self, head: Head<'_>, size: u64, sha256: Digest, changed: bool) -> Result<()> {
        if changed {
            let path = EntryPath::new(head.path.to_vec());
            self.packer.manifest.changed.push(path);
        }
        self.packer.entry(head, Content::File { size, sha256 })
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
