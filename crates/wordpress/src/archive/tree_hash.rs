//! The hash of a tree on disk, on all processors.

use super::{
    ahead,
    excludes::Excludes,
    manifest::{self, Content, EntryPath},
    names::Rules,
    read::{self, Body, Buffers, Piece},
    walk::Walk,
};
use crate::{Result, disk, tree::TreeHash, watch::Watch};
use std::path::Path;

/// The hash of a tree without some of its paths, on all processors; pipes, sockets
/// and devices do not count. [`TreeHash::absent`] when it does not exist.
pub(super) fn hash_without(base: &Path, skip: &[Vec<u8>], watch: &Watch) -> Result<TreeHash> {
    if !disk::exists(base)? {
        return Ok(TreeHash::absent());
    }
    let excludes = Excludes::new("", false, &[])?;
    let what = Walk {
        base,
        excludes: &excludes,
        ours: skip,
        rules: Rules::Tar,
        watch,
    };
    let buffers = Buffers::default();
    let mut entries: Vec<(Vec<u8>, Content)> = Vec::new();
    let mut large = None;
    ahead::ordered(
        ahead::processors(),
        |give| read::feed(&what, give),
        |items, give| read::read(items, &buffers, watch, give),
        |piece| {
            watch.check()?;
            match piece {
                Piece::Whole(bundle) => {
                    for (path, body) in bundle.items {
                        match body {
                            _ if path.is_empty() => {}
                            Body::Directory { .. } => entries.push((path, Content::Directory)),
                            Body::Link { target, .. } => {
                                let target = EntryPath::new(target);
                                entries.push((path, Content::Link { target }));
                            }
                            Body::File { range, sha256, .. } => {
                                let size = range.len() as u64;
                                entries.push((path, Content::File { size, sha256 }));
                            }
                            Body::LeftOut(_) => {}
                        }
                    }
                    buffers.put(bundle.data);
                }
                Piece::Begin { path, size, .. } => large = Some((path, size)),
                Piece::Chunk(chunk) => buffers.put(chunk),
                Piece::End { sha256, .. } => {
                    if let Some((path, size)) = large.take() {
                        entries.push((path, Content::File { size, sha256 }));
                    }
                }
            }
            Ok(())
        },
    )?;
    watch.check()?;
    Ok(manifest::tree_of(
        entries
            .iter()
            .map(|(path, content)| (path.as_slice(), content)),
        "",
    ))
}
