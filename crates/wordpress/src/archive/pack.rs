//! Writes an archive while reading the site.

use super::{
    ahead,
    limits::MOST_ENTRIES,
    manifest::{self, Content, Digest, EntryPath, Manifest, ManifestEntry},
    names::{self, Rules},
    write::{self, Chunks, Head, Writer},
};
use crate::{Error, Result, home::Home, package, watch::Watch};
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
    pub(super) home: &'a Home,
    pub(super) watch: &'a Watch,
    pub(super) writer: Writer<'a>,
    pub(super) rules: Rules,
    pub(super) threads: usize,
    pub(super) manifest: Manifest,
    /// First parts of the paths that are taken.
    taken: Vec<String>,
    /// Entries it may come to.
    most: u64,
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
            most: MOST_ENTRIES,
        })
    }

    /// Lets it come to so many entries and no more, instead of [`MOST_ENTRIES`].
    #[must_use]
    pub fn at_most(mut self, entries: u64) -> Self {
        self.most = entries.min(MOST_ENTRIES);
        self
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
        self.entry(head, Content::File { size, sha256 })?;
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
    pub(super) fn take(&mut self, name: &str) -> Result<()> {
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

    pub(super) fn entry(&mut self, head: Head<'_>, content: Content) -> Result<()> {
        if self.manifest.entries.len() as u64 >= self.most {
            return Err(Error::BadInput(format!(
                "there are more than {} files and directories, which is as many as one archive may hold; remove what is not needed, e.g. old caches, or keep it outside the site",
                self.most
            )));
        }
        self.manifest.totals.count(&content);
        self.manifest.entries.push(ManifestEntry {
            path: EntryPath::new(head.path.to_vec()),
            content,
            mode: head.mode,
            mtime: head.mtime,
        });
        Ok(())
    }
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
