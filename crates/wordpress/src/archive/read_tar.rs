//! Reads a tar as a stream: in zstd, as ours are, in gzip, or as it is.
//!
//! Blocks are read here rather than by the `tar` crate, whose iterator keeps names
//! and extended headers of any length in memory; its header type reads the fields.

use super::{
    intake::{Attributes, Intake},
    limits::Counted,
    names::refused,
};
use crate::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::io::{self, Read};
use tar::{EntryType, Header, PaxExtensions};

/// The longest extended header, and the longest name in one.
const MAX_EXTENSION: u64 = 1024 * 1024;
const MAX_NAME: u64 = 64 * 1024;
/// Extended headers in a row. They make no entry that would be counted.
const MAX_EXTENSIONS: u32 = 16;
/// Zeros that may follow the end: writers fill up to their own block size.
const MAX_FILL: u64 = 16 * 1024 * 1024;

/// Extensions that describe the next entry.
#[derive(Default)]
struct Next {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    mtime: Option<u64>,
    headers: u32,
}

pub(super) fn read(intake: &mut Intake<'_>, input: &mut dyn Read) -> Result<()> {
    let limits = *intake.meter.limits();
    let counted = Counted::new(input, intake.packed.clone(), limits.archive_bytes);
    let mut tar = zstd::Decoder::new(counted).map_err(|why| damaged(&why))?;
    tar.window_log_max(limits.window_log.clamp(10, 31))
        .map_err(|why| damaged(&why))?;
    entries(intake, &mut tar)
}

/// The same of one in gzip, which may be made of several members.
pub(super) fn read_gzip(intake: &mut Intake<'_>, input: &mut dyn Read) -> Result<()> {
    let limit = intake.meter.limits().archive_bytes;
    let counted = Counted::new(input, intake.packed.clone(), limit);
    entries(intake, &mut MultiGzDecoder::new(counted))
}

/// The same of one that is not packed.
pub(super) fn read_plain(intake: &mut Intake<'_>, input: &mut dyn Read) -> Result<()> {
    let limit = intake.meter.limits().archive_bytes;
    let mut counted = Counted::new(input, intake.packed.clone(), limit);
    entries(intake, &mut counted)
}

fn entries(intake: &mut Intake<'_>, mut tar: &mut dyn Read) -> Result<()> {
    let mut next = Next::default();
    loop {
        intake.watch.check()?;
        let mut block = [0; 512];
        tar.read_exact(&mut block).map_err(|why| damaged(&why))?;
        if block == [0; 512] {
            return end(intake, tar);
        }
        let header = Header::from_byte_slice(&block);
        check_sum(header)?;
        let mut size = header.entry_size().map_err(|why| damaged(&why))?;
        let kind = header.entry_type();
        next.headers += 1;
        if next.headers > MAX_EXTENSIONS {
            return Err(damaged(&"it has extended headers of nothing"));
        }
        match kind {
            EntryType::GNULongName => {
                next.path = Some(long_name(tar, size)?);
                continue;
            }
            EntryType::GNULongLink => {
                next.target = Some(long_name(tar, size)?);
                continue;
            }
            EntryType::XHeader => {
                let bytes = extension(tar, size, MAX_EXTENSION)?;
                pax(&bytes, &mut next)?;
                continue;
            }
            EntryType::XGlobalHeader => {
                extension(tar, size, MAX_EXTENSION)?;
                continue;
            }
            _ => {}
        }
        let Next {
            path,
            target,
            size: pax_size,
            mtime,
            ..
        } = std::mem::take(&mut next);
        // Readers that disagree about this would see different archives.
        size = pax_size.unwrap_or(size);
        let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
        let attributes = Attributes {
            mode: header.mode().map_err(|why| damaged(&why))?,
            mtime: mtime.unwrap_or_else(|| header.mtime().unwrap_or(0)),
        };
        let target = || {
            target
                .or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned))
                .unwrap_or_default()
        };
        // Before there were kinds, a slash said so.
        let old_directory =
            path.ends_with(b"/") && header.as_ustar().is_none() && header.as_gnu().is_none();
        match kind {
            EntryType::Regular | EntryType::Continuous if !old_directory => {
                let mut content = (&mut tar).take(size);
                intake.file(&path, size, attributes, &mut content)?;
                if content.limit() > 0 {
                    return Err(damaged(&"it ends early"));
                }
                skip_fill(tar, size)?;
            }
            _ if size > 0 && kind.as_byte() <= b'7' => {
                return Err(refused(&path, "has content and should not"));
            }
            EntryType::Regular | EntryType::Directory => intake.directory(&path, attributes)?,
            EntryType::Symlink => intake.link(&path, &target(), attributes.mtime)?,
            EntryType::Link => intake.hard_link(&path, &target(), attributes)?,
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                return Err(refused(&path, "is a device or a pipe"));
            }
            EntryType::GNUSparse => {
                return Err(refused(
                    &path,
                    "is stored with holes, which is not supported",
                ));
            }
            other => {
                return Err(refused(
                    &path,
                    &format!("is of the unknown kind {}", other.as_byte()),
                ));
            }
        }
    }
}

/// After the end there are only zeros, and the stream ends whole.
fn end(intake: &Intake<'_>, tar: &mut dyn Read) -> Result<()> {
    let mut buffer = [0; 16 * 1024];
    let mut total = 0;
    loop {
        intake.watch.check()?;
        let count = match tar.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => return Err(damaged(&why)),
        };
        total += count as u64;
        if buffer[..count].iter().any(|byte| *byte != 0) || total > MAX_FILL {
            return Err(Error::BadInput("archive goes on after its end".to_owned()));
        }
    }
}

fn check_sum(header: &Header) -> Result<()> {
    let bytes = header.as_bytes();
    let sum = bytes[..148]
        .iter()
        .chain(&bytes[156..])
        .fold(8 * 32, |sum, byte| sum + u32::from(*byte));
    match header.cksum() {
        Ok(said) if said == sum => Ok(()),
        _ => Err(damaged(&"a header has another checksum")),
    }
}

fn long_name(tar: &mut dyn Read, size: u64) -> Result<Vec<u8>> {
    let mut name = extension(tar, size, MAX_NAME)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

fn extension(tar: &mut dyn Read, size: u64, limit: u64) -> Result<Vec<u8>> {
    if size > limit {
        return Err(damaged(&format!("an extended header has {size} bytes")));
    }
    let mut bytes = Vec::new();
    tar.take(size)
        .read_to_end(&mut bytes)
        .map_err(|why| damaged(&why))?;
    if bytes.len() as u64 != size {
        return Err(damaged(&"it ends early"));
    }
    skip_fill(tar, size)?;
    Ok(bytes)
}

fn skip_fill(tar: &mut dyn Read, size: u64) -> Result<()> {
    let fill = usize::try_from((512 - size % 512) % 512).unwrap_or(0);
    tar.read_exact(&mut [0; 512][..fill])
        .map_err(|why| damaged(&why))
}

fn pax(bytes: &[u8], next: &mut Next) -> Result<()> {
    for extension in PaxExtensions::new(bytes) {
        let extension = extension.map_err(|why| damaged(&why))?;
        let value = extension.value_bytes();
        let number = || {
            let text = std::str::from_utf8(value).unwrap_or_default();
            // Times have a fraction, and may be negative.
            text.split('.').next().unwrap_or_default().parse().ok()
        };
        match extension.key_bytes() {
            b"path" => next.path = Some(value.to_vec()),
            b"linkpath" => next.target = Some(value.to_vec()),
            b"size" => match number() {
                Some(size) => next.size = Some(size),
                None => return Err(damaged(&"an extended header has no number as a size")),
            },
            b"mtime" => next.mtime = Some(number().unwrap_or(0)),
            key if key.starts_with(b"GNU.sparse.") => {
                return Err(Error::BadInput(
                    "archive has entries stored with holes, which is not supported".to_owned(),
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn damaged(why: &dyn std::fmt::Display) -> Error {
    Error::BadInput(format!("archive is damaged: {why}"))
}
