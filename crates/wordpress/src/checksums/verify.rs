//! Reads the files and compares.

use super::{
    expected::{Expected, Sum},
    report::{ChecksumReport, Difference},
};
use crate::{
    Error, Result,
    archive::{ahead, excludes::Excludes, manifest::Why, names::Rules, walk},
    component::{self, ComponentKind, Target},
    home::Home,
    watch::Watch,
};
use md5::Md5;
use rustix::{
    fs::{FileType, Mode, OFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{HashMap, HashSet},
    fs, io,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What is held against which list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecksumRequest {
    /// Directory of `wp-config.php`, relative to the home.
    pub root: String,
    /// Core or a component.
    pub subject: Subject,
    /// What its source says.
    pub expected: Expected,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// WordPress itself: everything expected but `wp-content`, where sites differ.
    /// Not expected and named is whatever is in `wp-admin` and `wp-includes`, and
    /// PHP directly in the root, `wp-config.php` excepted.
    Core,
    /// A plugin or theme that is a directory: all that is in it.
    Component {
        /// Plugin or theme.
        kind: ComponentKind,
        /// Directory name.
        slug: String,
    },
}

/// Files of one job.
const BATCH: usize = 32;
const BUFFER: usize = 128 * 1024;

/// Compares. A root or component that is not there is an error; what differs is
/// none, see [`ChecksumReport::is_clean`].
pub fn verify(home: &Home, request: &ChecksumRequest, watch: &Watch) -> Result<ChecksumReport> {
    let core = request.subject == Subject::Core;
    let base = base_of(home, request)?;
    let expected: HashMap<&[u8], &[Sum]> = request
        .expected
        .files
        .iter()
        .filter(|(path, _)| !core || !path.starts_with("wp-content/"))
        .map(|(path, sums)| (path.as_bytes(), sums.as_slice()))
        .collect();
    if expected.is_empty() {
        return Err(Error::BadInput("checksums name no files".to_owned()));
    }
    let skip = if core {
        other_directories(&base, &expected)?
    } else {
        Vec::new()
    };
    let excludes = Excludes::new("", false, &[])?;
    let what = walk::Walk {
        base: &base,
        excludes: &excludes,
        ours: &skip,
        rules: Rules::Tar,
        watch,
    };
    let mut comparison = Comparison {
        core,
        expected: &expected,
        report: ChecksumReport::default(),
        seen: HashSet::new(),
        closed: Vec::new(),
    };
    ahead::ordered(
        ahead::processors(),
        |give| {
            let mut batch = Vec::with_capacity(BATCH);
            let mut wanted = true;
            walk::walk(&what, &mut |item| {
                let sums = expected.get(item.path.as_slice()).copied();
                batch.push((item, sums));
                if batch.len() >= BATCH {
                    wanted = give(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
                }
                wanted
            })?;
            if wanted {
                give(batch);
            }
            Ok(())
        },
        |items, give| {
            give(read(items, watch));
        },
        |found| {
            watch.check()?;
            for (path, found) in found {
                comparison.take(path, &found);
            }
            Ok(())
        },
    )?;
    // Readers give up silently when the watch runs out.
    watch.check()?;
    Ok(comparison.finish())
}

fn base_of(home: &Home, request: &ChecksumRequest) -> Result<PathBuf> {
    let (base, shown) = match &request.subject {
        Subject::Core => {
            let root = request.root.trim_end_matches('/');
            (home.resolve(root)?, root.to_owned())
        }
        Subject::Component { kind, slug } => {
            let target = Target {
                root: request.root.clone(),
                kind: *kind,
                slug: slug.clone(),
            };
            (component::live_path(home, &target)?, slug.clone())
        }
    };
    match fs::symlink_metadata(&base) {
        Ok(found) if found.is_dir() => Ok(base),
        Ok(_) => Err(Error::BadPath(shown)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Err(Error::Missing(shown)),
        Err(why) => Err(Error::io("look at", base, why)),
    }
}

/// Names in the root that are none of core's business: directories in which the
/// package has nothing.
fn other_directories(base: &Path, expected: &HashMap<&[u8], &[Sum]>) -> Result<Vec<Vec<u8>>> {
    let mut ours: HashSet<&[u8]> = HashSet::from([&b"wp-admin"[..], b"wp-includes"]);
    for path in expected.keys() {
        if let Some(end) = path.iter().position(|byte| *byte == b'/') {
            ours.insert(&path[..end]);
        }
    }
    let mut others = Vec::new();
    for entry in fs::read_dir(base).map_err(|why| Error::io("list", base, why))? {
        let entry = entry.map_err(|why| Error::io("list", base, why))?;
        let name = entry.file_name().as_bytes().to_vec();
        let plain = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if plain && !ours.contains(name.as_slice()) && !expected.contains_key(name.as_slice()) {
            others.push(name);
        }
    }
    Ok(others)
}

/// What was found under a path.
enum Found {
    /// Its size, and whether it has one of its hashes.
    Expected(u64, bool),
    /// A file nobody expects; it was not read.
    Stranger,
    Directory,
    Link,
    Special,
    Gone,
    Unreadable,
    Skipped,
}

fn read(items: Vec<(walk::Item, Option<&[Sum]>)>, watch: &Watch) -> Vec<(Vec<u8>, Found)> {
    let mut buffer = vec![0; BUFFER];
    items
        .into_iter()
        .map_while(|(item, sums)| {
            watch.check().ok()?;
            let found = match (item.kind, sums) {
                (walk::Kind::Directory { .. }, _) => Found::Directory,
                (walk::Kind::Link { .. }, _) => Found::Link,
                (walk::Kind::LeftOut(why), _) => match why {
                    Why::Fifo | Why::Socket | Why::Device => Found::Special,
                    Why::Vanished => Found::Gone,
                    Why::Unreadable { .. } | Why::TooLong => Found::Unreadable,
                    Why::Excluded { .. } | Why::Ours | Why::Name => Found::Skipped,
                },
                (walk::Kind::File { .. }, None) => Found::Stranger,
                (walk::Kind::File { dir, name }, Some(sums)) => {
                    match compare(&dir, &name, sums, &mut buffer) {
                        Ok(found) => found,
                        Err(Errno::NOENT | Errno::LOOP) => Found::Gone,
                        Err(_) => Found::Unreadable,
                    }
                }
            };
            Some((item.path, found))
        })
        .collect()
}

/// Hashes a file. Where there are SHA-256 sums, MD5 is not asked: it can be forged.
fn compare(
    dir: &Arc<OwnedFd>,
    name: &[u8],
    sums: &[Sum],
    buffer: &mut [u8],
) -> rustix::io::Result<Found> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(dir, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(Found::Special);
    }
    let strong = sums.iter().any(|sum| matches!(sum, Sum::Sha256(_)));
    let (mut md5, mut sha256) = (Md5::new(), Sha256::new());
    let mut size = 0;
    loop {
        let part = match rustix::io::read(&file, &mut *buffer) {
            Ok(0) => break,
            Ok(count) => &buffer[..count],
            Err(Errno::INTR) => continue,
            Err(why) => return Err(why),
        };
        size += part.len() as u64;
        if strong {
            sha256.update(part);
        } else {
            md5.update(part);
        }
    }
    let sum = if strong {
        Sum::Sha256(sha256.finalize().into())
    } else {
        Sum::Md5(md5.finalize().into())
    };
    Ok(Found::Expected(size, sums.contains(&sum)))
}

struct Comparison<'a> {
    core: bool,
    expected: &'a HashMap<&'a [u8], &'a [Sum]>,
    report: ChecksumReport,
    seen: HashSet<Vec<u8>>,
    /// Links and unreadable directories: what is expected below was not looked at.
    closed: Vec<Vec<u8>>,
}

impl Comparison<'_> {
    fn take(&mut self, path: Vec<u8>, found: &Found) {
        let is_expected = self.expected.contains_key(path.as_slice());
        match found {
            Found::Expected(size, equal) => {
                self.report.bytes += size;
                if *equal {
                    self.report.intact += 1;
                } else {
                    self.report.find(&path, Difference::Modified);
                }
            }
            Found::Directory if is_expected => self.report.find(&path, Difference::NotAFile),
            Found::Directory | Found::Skipped | Found::Gone => return,
            Found::Stranger => {
                if self.is_named(&path) {
                    self.report.find(&path, Difference::Unexpected);
                }
                return;
            }
            Found::Link => {
                if is_expected || self.is_named(&path) || self.leads_to_expected(&path) {
                    self.report.find(&path, Difference::Link);
                }
                self.closed.push(path.clone());
            }
            Found::Special => {
                if is_expected || self.is_named(&path) {
                    self.report.find(&path, Difference::NotAFile);
                }
            }
            Found::Unreadable => {
                self.report.find(&path, Difference::Unreadable);
                self.closed.push(path.clone());
            }
        }
        if is_expected {
            self.seen.insert(path);
        }
    }

    /// Whether an unexpected file of that path is worth telling.
    fn is_named(&self, path: &[u8]) -> bool {
        !self.core || path.contains(&b'/') || (path != b"wp-config.php" && runs_as_php(path))
    }

    fn leads_to_expected(&self, path: &[u8]) -> bool {
        let mut below = path.to_vec();
        below.push(b'/');
        self.expected.keys().any(|path| path.starts_with(&below))
    }

    fn finish(mut self) -> ChecksumReport {
        let mut missing: Vec<&[u8]> = Vec::new();
        for path in self.expected.keys() {
            if self.seen.contains(*path) {
                continue;
            }
            let behind = self.closed.iter().any(|closed| {
                path.strip_prefix(closed.as_slice())
                    .is_some_and(|rest| rest.starts_with(b"/"))
            });
            if behind {
                self.report.behind_links += 1;
            } else {
                missing.push(path);
            }
        }
        for path in missing {
            self.report.find(path, Difference::Missing);
        }
        self.report.findings.sort_unstable();
        self.report
    }
}

/// Names that web servers are commonly told to run.
fn runs_as_php(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else {
        return false;
    };
    let extension = &name[dot + 1..];
    extension.starts_with(b"php") || [&b"phtml"[..], b"pht", b"phar", b"phps"].contains(&extension)
}
