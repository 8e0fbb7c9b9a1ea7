//! Reads and hashes what a walk found, on several threads, ahead of the writer.

use super::{
    ahead::Give,
    manifest::{Digest, Why},
    walk::{self, Item, Kind},
};
use crate::{Result, watch::Watch};
use rustix::{
    buffer::spare_capacity,
    fs::{FileType, Mode, OFlags, Stat},
    io::Errno,
};
use sha2::{Digest as _, Sha256};
use std::{
    ops::Range,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
};

/// Items of one job.
const BATCH: usize = 64;
/// Directories that the items of one job may hold open.
const BATCH_DIRECTORIES: usize = 8;
/// A file up to this size is read whole, and again if it changed meanwhile.
const SMALL: u64 = 512 * 1024;
/// Bytes handed over at once.
const CHUNK: usize = 1024 * 1024;
const TRIES: usize = 3;

const CONTENT: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// What comes of a job, in order.
pub(crate) enum Piece {
    /// Whole items.
    Whole(Bundle),
    /// A large file begins: exactly `size` bytes follow.
    Begin {
        path: Vec<u8>,
        size: u64,
        mode: u32,
        mtime: u64,
    },
    Chunk(Vec<u8>),
    End {
        sha256: Digest,
        changed: bool,
    },
}

/// Whole items and the contents of the files among them, one after the other.
#[derive(Default)]
pub(crate) struct Bundle {
    pub(crate) data: Vec<u8>,
    pub(crate) items: Vec<(Vec<u8>, Body)>,
}

pub(crate) enum Body {
    Directory {
        mode: u32,
        mtime: u64,
    },
    Link {
        target: Vec<u8>,
        mtime: u64,
    },
    LeftOut(Why),
    File {
        range: Range<usize>,
        mode: u32,
        mtime: u64,
        sha256: Digest,
        changed: bool,
    },
}

/// Hands out everything in a tree in jobs.
pub(crate) fn feed(what: &walk::Walk<'_>, give: Give<'_, Vec<Item>>) -> Result<()> {
    let mut batch = Batch::default();
    let mut wanted = true;
    walk::walk(what, &mut |item| {
        if let Some(full) = batch.add(item) {
            wanted = give(full);
        }
        wanted
    })?;
    if wanted {
        give(batch.rest());
    }
    Ok(())
}

/// Collects items into jobs.
#[derive(Default)]
struct Batch {
    items: Vec<Item>,
    directories: usize,
}

impl Batch {
    /// Adds an item; a full batch comes back.
    fn add(&mut self, item: Item) -> Option<Vec<Item>> {
        if let Kind::File { dir, .. } = &item.kind {
            let same = self.items.last().is_some_and(
                |last| matches!(&last.kind, Kind::File { dir: held, .. } if Arc::ptr_eq(dir, held)),
            );
            self.directories += usize::from(!same);
        }
        self.items.push(item);
        (self.items.len() >= BATCH || self.directories >= BATCH_DIRECTORIES).then(|| self.rest())
    }

    /// What is left.
    fn rest(&mut self) -> Vec<Item> {
        self.directories = 0;
        std::mem::take(&mut self.items)
    }
}

/// Buffers that were used and may be again.
#[derive(Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    fn get(&self) -> Vec<u8> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.pop()
            .unwrap_or_else(|| Vec::with_capacity(CHUNK + 64 * 1024))
    }

    pub(crate) fn put(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < 64 {
            free.push(buffer);
        }
    }
}

/// Reads the items of a job. Gives up when nobody wants the result or the watch
/// runs out; the taker looks at the watch itself.
pub(crate) fn read(items: Vec<Item>, buffers: &Buffers, watch: &Watch, give: Give<'_, Piece>) {
    let mut bundle = Bundle {
        data: buffers.get(),
        items: Vec::with_capacity(items.len()),
    };
    for item in items {
        if watch.check().is_err() {
            return;
        }
        let body = match item.kind {
            Kind::Directory { mode, mtime } => Body::Directory { mode, mtime },
            Kind::Link { target, mtime } => Body::Link { target, mtime },
            Kind::LeftOut(why) => Body::LeftOut(why),
            Kind::File { dir, name } => match small(&dir, &name, &mut bundle.data) {
                Ok(Small::Whole(body)) => body,
                Ok(Small::Large(file, stat)) => {
                    let full = std::mem::take(&mut bundle);
                    let begin = Piece::Begin {
                        path: item.path,
                        size: size_of(&stat),
                        mode: walk::mode_of(&stat),
                        mtime: walk::mtime_of(&stat),
                    };
                    if !give(Piece::Whole(full))
                        || !give(begin)
                        || !large(&file, &stat, buffers, watch, give)
                    {
                        return;
                    }
                    bundle.data = buffers.get();
                    continue;
                }
                Err(why) => Body::LeftOut(walk::unreadable(why)),
            },
        };
        bundle.items.push((item.path, body));
        if bundle.data.len() >= CHUNK {
            let full = std::mem::take(&mut bundle);
            bundle.data = buffers.get();
            if !give(Piece::Whole(full)) {
                return;
            }
        }
    }
    give(Piece::Whole(bundle));
}

enum Small {
    Whole(Body),
    Large(OwnedFd, Stat),
}

/// Reads a small file to the end of `data`, whole as it was at one moment.
fn small(dir: &OwnedFd, name: &[u8], data: &mut Vec<u8>) -> rustix::io::Result<Small> {
    let begin = data.len();
    let mut tries = 0;
    loop {
        tries += 1;
        data.truncate(begin);
        let file = rustix::fs::openat(dir, name, CONTENT, Mode::empty())?;
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::NOENT);
        }
        if size_of(&stat) > SMALL {
            return Ok(Small::Large(file, stat));
        }
        let expected = usize::try_from(size_of(&stat)).unwrap_or(0);
        // One byte more, to see that it ends there.
        data.reserve(expected + 1);
        let grew_large = loop {
            let before = data.len();
            if data.spare_capacity_mut().is_empty() {
                data.reserve(64 * 1024);
            }
            match rustix::io::read(&file, spare_capacity(data)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(why) => {
                    data.truncate(begin);
                    return Err(why);
                }
            }
            let now = data.len() - begin;
            let large = now as u64 > 2 * SMALL;
            // A short read of a regular file is its end.
            if data.len() == before || now == expected || large {
                break large;
            }
        };
        if grew_large && tries < TRIES {
            continue;
        }
        let length = data.len() - begin;
        let unchanged = length == expected && same(&stat, &rustix::fs::fstat(&file)?);
        if !unchanged && tries < TRIES {
            continue;
        }
        return Ok(Small::Whole(Body::File {
            range: begin..data.len(),
            mode: walk::mode_of(&stat),
            mtime: walk::mtime_of(&stat),
            sha256: Digest(Sha256::digest(&data[begin..]).into()),
            changed: !unchanged,
        }));
    }
}

/// Hands out exactly as many bytes as the file had when it was opened: what it lost
/// meanwhile is zeros, what it gained is not taken. False once nobody wants more.
fn large(
    file: &OwnedFd,
    stat: &Stat,
    buffers: &Buffers,
    watch: &Watch,
    give: Give<'_, Piece>,
) -> bool {
    let mut left = size_of(stat);
    let mut hash = Sha256::new();
    let mut changed = false;
    while left > 0 {
        if watch.check().is_err() {
            return false;
        }
        let wanted = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let mut chunk = buffers.get();
        chunk.reserve(CHUNK);
        let offset = size_of(stat) - left;
        while chunk.len() < wanted {
            let at = offset + chunk.len() as u64;
            match rustix::io::pread(file, spare_capacity(&mut chunk), at) {
                Err(Errno::INTR) => {}
                Ok(0) | Err(_) => {
                    changed = true;
                    chunk.resize(wanted, 0);
                }
                Ok(_) => {}
            }
        }
        // It may have been read further than it was long.
        chunk.truncate(wanted);
        hash.update(&chunk);
        left -= wanted as u64;
        if !give(Piece::Chunk(chunk)) {
            return false;
        }
    }
    let after = rustix::fs::fstat(file);
    changed |= !after.is_ok_and(|after| same(stat, &after));
    give(Piece::End {
        sha256: Digest(hash.finalize().into()),
        changed,
    })
}

fn size_of(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// Whether a file is as it was.
fn same(before: &Stat, after: &Stat) -> bool {
    before.st_size == after.st_size
        && before.st_mtime == after.st_mtime
        && before.st_mtime_nsec == after.st_mtime_nsec
}
