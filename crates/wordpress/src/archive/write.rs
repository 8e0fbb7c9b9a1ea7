//! The two formats, as streams of entries.

use super::manifest::Content;
use crate::{Error, Result};
use std::io::{self, Write};
use tar::{EntryType, Header};
use zip::{
    CompressionMethod, DateTime, ZipWriter,
    write::{ExtendedFileOptions, FileOptions, PreparedZipFile, StreamWriter},
};

/// The size from which a zip entry needs its 64-bit form; what deflate may add to
/// incompressible data is kept clear of the limit.
const ZIP64: u64 = 0xf000_0000;

/// An archive being written.
pub(super) enum Writer<'a> {
    Tar(Box<zstd::Encoder<'static, &'a mut dyn Write>>),
    Zip(Box<ZipWriter<StreamWriter<&'a mut dyn Write>>>),
}

/// Name and attributes of an entry.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) path: &'a [u8],
    pub(super) mode: u32,
    pub(super) mtime: u64,
}

impl<'a> Writer<'a> {
    pub(super) fn tar(out: &'a mut dyn Write, level: i32, threads: u32) -> Result<Self> {
        let encoder = || {
            let mut encoder = zstd::Encoder::new(out, level)?;
            encoder.include_checksum(true)?;
            // In threads of its own even if there is only one: what comes out is
            // then the same for any number.
            encoder.multithread(threads.max(1))?;
            Ok(encoder)
        };
        Ok(Self::Tar(Box::new(encoder().map_err(failed)?)))
    }

    pub(super) fn zip(out: &'a mut dyn Write) -> Self {
        Self::Zip(Box::new(ZipWriter::new_stream(out)))
    }

    pub(super) fn directory(&mut self, head: Head<'_>) -> Result<()> {
        match self {
            Self::Tar(out) => {
                let mut path = head.path.to_vec();
                path.push(b'/');
                let head = Head {
                    path: &path,
                    ..head
                };
                tar_header(out, head, EntryType::Directory, 0, b"").map_err(failed)
            }
            Self::Zip(zip) => zip
                .add_directory(zip_name(head.path)?, zip_options(head))
                .map_err(zip_failed),
        }
    }

    pub(super) fn link(&mut self, head: Head<'_>, target: &[u8]) -> Result<()> {
        match self {
            Self::Tar(out) => tar_header(out, head, EntryType::Symlink, 0, target).map_err(failed),
            Self::Zip(zip) => zip
                .add_symlink(zip_name(head.path)?, zip_name(target)?, zip_options(head))
                .map_err(zip_failed),
        }
    }

    /// A whole file.
    pub(super) fn file(&mut self, head: Head<'_>, content: &[u8]) -> Result<()> {
        self.begin(head, content.len() as u64)?;
        self.chunk(content)?;
        self.end(content.len() as u64)
    }

    /// A file that was compressed elsewhere.
    pub(super) fn prepared(&mut self, file: PreparedZipFile) -> Result<()> {
        match self {
            Self::Zip(zip) => zip.add_prepared_file(file).map_err(zip_failed),
            Self::Tar(_) => Err(failed(io::ErrorKind::Unsupported.into())),
        }
    }

    /// Begins a file of exactly that size.
    pub(super) fn begin(&mut self, head: Head<'_>, size: u64) -> Result<()> {
        match self {
            Self::Tar(out) => tar_header(out, head, EntryType::Regular, size, b"").map_err(failed),
            Self::Zip(zip) => zip
                .start_file(
                    zip_name(head.path)?,
                    zip_options(head).large_file(size >= ZIP64),
                )
                .map_err(zip_failed),
        }
    }

    pub(super) fn chunk(&mut self, content: &[u8]) -> Result<()> {
        match self {
            Self::Tar(out) => out.write_all(content),
            Self::Zip(zip) => zip.write_all(content),
        }
        .map_err(failed)
    }

    /// Ends a file of that size.
    pub(super) fn end(&mut self, size: u64) -> Result<()> {
        match self {
            Self::Tar(out) => pad(out, size).map_err(failed),
            // The next entry, or the end, ends this one.
            Self::Zip(_) => Ok(()),
        }
    }

    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Tar(mut out) => out
                .write_all(&[0; 1024])
                .and_then(|()| out.finish())
                .and_then(io::Write::flush)
                .map_err(failed),
            Self::Zip(zip) => zip
                .finish()
                .map_err(zip_failed)
                .and_then(|out| out.into_inner().flush().map_err(failed)),
        }
    }
}

/// One header block, and before it the GNU extensions for what does not fit: names
/// stay the bytes they are, which pax' would not.
fn tar_header(
    out: &mut impl Write,
    head: Head<'_>,
    kind: EntryType,
    size: u64,
    target: &[u8],
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(head.mode);
    header.set_mtime(head.mtime);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    for (long, text) in [
        (EntryType::GNULongLink, target),
        (EntryType::GNULongName, head.path),
    ] {
        let Some(fields) = header.as_gnu_mut() else {
            continue;
        };
        let field = if long == EntryType::GNULongName {
            &mut fields.name
        } else {
            &mut fields.linkname
        };
        let fits = text.len().min(field.len());
        field[..fits].copy_from_slice(&text[..fits]);
        if text.len() > field.len() {
            let mut extension = Header::new_gnu();
            if let Some(fields) = extension.as_gnu_mut() {
                fields.name[..13].copy_from_slice(b"././@LongLink");
            }
            extension.set_entry_type(long);
            extension.set_mode(0o644);
            extension.set_uid(0);
            extension.set_gid(0);
            extension.set_mtime(0);
            extension.set_size(text.len() as u64 + 1);
            extension.set_cksum();
            out.write_all(extension.as_bytes())?;
            out.write_all(text)?;
            out.write_all(&[0])?;
            pad(out, text.len() as u64 + 1)?;
        }
    }
    header.set_cksum();
    out.write_all(header.as_bytes())
}

fn pad(out: &mut impl Write, size: u64) -> io::Result<()> {
    let over = usize::try_from(size % 512).unwrap_or(0);
    if over > 0 {
        out.write_all(&[0; 512][over..])?;
    }
    Ok(())
}

pub(super) type ZipOptions = FileOptions<'static, 'static, ExtendedFileOptions>;

pub(super) fn zip_options(head: Head<'_>) -> ZipOptions {
    let mut options = ZipOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(head.mode & 0o7777)
        .last_modified_time(dos_time(head.mtime));
    // The format's own time is local, without saying where, in steps of two seconds.
    if let Ok(seconds) = i32::try_from(head.mtime) {
        let mut field = [1, 0, 0, 0, 0];
        field[1..].copy_from_slice(&seconds.to_le_bytes());
        // Five bytes always fit.
        let _ = options.add_extra_field(0x5455, field, false);
    }
    options
}

/// A file compressed ahead of the writer.
pub(super) fn prepare(head: Head<'_>, content: &[u8]) -> Result<PreparedZipFile> {
    PreparedZipFile::from_data(zip_name(head.path)?, zip_options(head), content).map_err(zip_failed)
}

/// The walk leaves out what does not fit.
fn zip_name(path: &[u8]) -> Result<&str> {
    std::str::from_utf8(path)
        .map_err(|_| super::names::refused(path, "cannot be stored in a zip, it is not UTF-8"))
}

/// UTC, as good as any.
fn dos_time(seconds: u64) -> DateTime {
    let (year, month, day) = civil(seconds / 86_400);
    let rest = seconds % 86_400;
    let small = |number: u64| u8::try_from(number).unwrap_or(0);
    u16::try_from(year)
        .ok()
        .and_then(|year| {
            DateTime::from_date_and_time(
                year,
                month,
                day,
                small(rest / 3600),
                small(rest / 60 % 60),
                small(rest % 60),
            )
            .ok()
        })
        .unwrap_or_default()
}

/// The date so many days after 1970-01-01, by whole years and months.
fn civil(days: u64) -> (u64, u8, u8) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970 + days / 146_097 * 400;
    let mut left = days % 146_097;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, u8::try_from(left + 1).unwrap_or(1))
}

pub(super) fn failed(why: io::Error) -> Error {
    Error::io("write", "archive", why)
}

fn zip_failed(why: zip::result::ZipError) -> Error {
    failed(why.into())
}

/// What an entry is, for the writer of the manifest.
pub(super) fn write_manifest(writer: &mut Writer<'_>, manifest: &super::Manifest) -> Result<()> {
    // Written twice rather than kept: it grows with the site.
    let mut size = Count(0);
    let unfit = |why: serde_json::Error| failed(why.into());
    serde_json::to_writer(&mut size, manifest).map_err(unfit)?;
    let head = Head {
        path: super::manifest::NAME.as_bytes(),
        mode: 0o600,
        mtime: 0,
    };
    writer.begin(head, size.0)?;
    let mut out = io::BufWriter::with_capacity(64 * 1024, Chunks(writer));
    serde_json::to_writer(&mut out, manifest).map_err(unfit)?;
    out.flush().map_err(failed)?;
    drop(out);
    writer.end(size.0)
}

struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer into the entry that was begun.
pub(super) struct Chunks<'w, 'a>(pub(super) &'w mut Writer<'a>);

impl Write for Chunks<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.chunk(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Content {
    /// Whether it is a directory.
    pub(super) fn is_directory(&self) -> bool {
        *self == Self::Directory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, (1970, 1, 1)),
            (951_782_399, (2000, 2, 28)),
            (951_782_400, (2000, 2, 29)),
            (4_102_444_799, (2099, 12, 31)),
        ] {
            assert_eq!(civil(seconds / 86_400), date);
        }
        assert_eq!(dos_time(951_782_400 + 3_661).second(), 0);
        assert_eq!(dos_time(951_782_400 + 3_661).hour(), 1);
        assert_eq!(dos_time(u64::MAX), DateTime::default());
    }
}
