//! Whether a zip archive is whole: its end, and the central directory it announces.
//! Offsets and signatures are those of PKWARE's APPNOTE 6.3, sections 4.3.12 to 4.3.16.

use crate::{Error, ObjectInfo, Objects, Result};
use std::ops::Range;
use tokio::io::AsyncReadExt;

const END: usize = 22;
const LONGEST_COMMENT: u64 = 0xffff;
const LOCATOR: usize = 20;
const END_64: usize = 56;
const RECORD: usize = 46;
const LOCAL: u64 = 30;

const END_MARK: u32 = 0x0605_4b50;
const LOCATOR_MARK: u32 = 0x0706_4b50;
const END_64_MARK: u32 = 0x0606_4b50;
const RECORD_MARK: u32 = 0x0201_4b50;

/// What is wrong with an archive.
type Fault = String;

/// Reads the end and the central directory: number of entries, or what is wrong. The
/// outer error says that it could not be found out.
pub(super) async fn check(objects: &Objects, object: &ObjectInfo) -> Result<Result<u64, Fault>> {
    let size = object.size;
    let tail_at = size.saturating_sub(END as u64 + LOCATOR as u64 + LONGEST_COMMENT);
    let tail = read(objects, object, tail_at..size).await?;
    let announced = match End::find(&tail, tail_at) {
        Ok(Found::End(end)) => Ok(end),
        Ok(Found::At(at)) => {
            let bytes = read(objects, object, at..at.saturating_add(END_64 as u64)).await?;
            End::of_64(&bytes, at)
        }
        Err(fault) => Err(fault),
    };
    let end = match announced {
        Ok(end) => end,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut reader = objects
        .open(&object.key, Some(end.directory.clone()))
        .await?;
    let mut walk = Walk::new(end.directory.start);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = reader.read(&mut buffer).await.map_err(Error::of_read)?;
        if count == 0 {
            return Ok(walk.end(end.entries));
        }
        if let Err(fault) = walk.feed(&buffer[..count]) {
            return Ok(Err(fault));
        }
    }
}

async fn read(objects: &Objects, object: &ObjectInfo, range: Range<u64>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    objects
        .open(&object.key, Some(range))
        .await?
        .read_to_end(&mut bytes)
        .await
        .map_err(Error::of_read)?;
    Ok(bytes)
}

/// Where the central directory is, as the end announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    entries: u64,
    directory: Range<u64>,
}

enum Found {
    End(End),
    /// The real end is a record of the 64-bit form, there.
    At(u64),
}

impl End {
    /// Looks for the end in the last bytes of an archive, which begin at `tail_at`.
    fn find(tail: &[u8], tail_at: u64) -> Result<Found, Fault> {
        let missing = || "the zip archive has no end".to_owned();
        // Only a record whose comment reaches exactly to the end of the file is one.
        let at = (0..=tail.len().saturating_sub(END))
            .rev()
            .find(|at| {
                number(tail, *at, 4) == Some(u64::from(END_MARK))
                    && number(tail, at + 20, 2) == Some((tail.len() - at - END) as u64)
            })
            .ok_or_else(missing)?;
        let get = |offset, width| number(tail, at + offset, width).ok_or_else(missing);
        let (disk, entries) = (get(4, 2)?, get(10, 2)?);
        let (size, start) = (get(12, 4)?, get(16, 4)?);
        if entries == 0xffff || size == 0xffff_ffff || start == 0xffff_ffff {
            let locator = at.checked_sub(LOCATOR).ok_or_else(missing)?;
            if number(tail, locator, 4) == Some(u64::from(LOCATOR_MARK)) {
                return number(tail, locator + 8, 8)
                    .map(Found::At)
                    .ok_or_else(missing);
            }
        }
        if disk != 0 {
            return Err("the zip archive is one of several volumes".to_owned());
        }
        Self::checked(entries, start, size, tail_at + at as u64).map(Found::End)
    }

    /// Reads the end in its 64-bit form, which begins at `at`.
    fn of_64(bytes: &[u8], at: u64) -> Result<Self, Fault> {
        let missing = || "the zip archive has no 64-bit end where it says".to_owned();
        let get = |offset, width| number(bytes, offset, width).ok_or_else(missing);
        if get(0, 4)? != u64::from(END_64_MARK) {
            return Err(missing());
        }
        Self::checked(get(32, 8)?, get(48, 8)?, get(40, 8)?, at)
    }

    fn checked(entries: u64, start: u64, size: u64, end: u64) -> Result<Self, Fault> {
        if start.checked_add(size) == Some(end) && entries <= size / RECORD as u64 {
            Ok(Self {
                entries,
                directory: start..end,
            })
        } else {
            Err("the zip archive's end does not fit its central directory".to_owned())
        }
    }
}

/// Goes through a central directory in pieces.
struct Walk {
    /// Where the directory begins: no entry's data reaches behind it.
    start: u64,
    /// The beginning of a record that is not complete yet; shorter than 200 kB.
    pending: Vec<u8>,
    entries: u64,
}

impl Walk {
    const fn new(start: u64) -> Self {
        Self {
            start,
            pending: Vec::new(),
            entries: 0,
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.pending.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(length) = self.record(at)? {
            self.entries += 1;
            at += length;
        }
        self.pending.drain(..at);
        Ok(())
    }

    /// The length of the record there; `None` while it is not complete.
    fn record(&self, at: usize) -> Result<Option<usize>, Fault> {
        let bytes = &self.pending[at..];
        let get = |offset, width| number(bytes, offset, width);
        let broken = || {
            format!(
                "the zip archive's entry {} makes no sense",
                self.entries + 1
            )
        };
        if bytes.len() < RECORD {
            return Ok(None);
        }
        if get(0, 4) != Some(u64::from(RECORD_MARK)) {
            return Err(broken());
        }
        let length = |offset| {
            get(offset, 2)
                .and_then(|length| usize::try_from(length).ok())
                .ok_or_else(broken)
        };
        let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
        let total = RECORD + name + extra + comment;
        if bytes.len() < total {
            return Ok(None);
        }
        let mut packed = get(20, 4).ok_or_else(broken)?;
        let plain = get(24, 4).ok_or_else(broken)?;
        let mut offset = get(42, 4).ok_or_else(broken)?;
        let large = 0xffff_ffff;
        if packed == large || offset == large {
            let field =
                field_64(&bytes[RECORD + name..RECORD + name + extra]).ok_or_else(broken)?;
            // The field holds only what did not fit, in this order.
            let mut position = if plain == large { 8 } else { 0 };
            for value in [&mut packed, &mut offset] {
                if *value == large {
                    *value = number(field, position, 8).ok_or_else(broken)?;
                    position += 8;
                }
            }
        }
        let data_end = offset
            .checked_add(LOCAL)
            .and_then(|data| data.checked_add(name as u64))
            .and_then(|data| data.checked_add(packed));
        if data_end.is_none_or(|end| end > self.start) {
            return Err(broken());
        }
        Ok(Some(total))
    }

    fn end(&self, announced: u64) -> Result<u64, Fault> {
        if self.pending.is_empty() && self.entries == announced {
            Ok(announced)
        } else {
            Err(format!(
                "the zip archive announces {announced} entries and lists {}",
                self.entries
            ))
        }
    }
}

/// The extra field of 64-bit values.
fn field_64(mut extra: &[u8]) -> Option<&[u8]> {
    loop {
        let id = number(extra, 0, 2)?;
        let length = usize::try_from(number(extra, 2, 2)?).ok()?;
        let field = extra.get(4..4 + length)?;
        if id == 1 {
            return Some(field);
        }
        extra = &extra[4 + length..];
    }
}

/// A little-endian number of `width` bytes, if they are there.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::zip::{ZipWriter, write::SimpleFileOptions};
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    /// What `check` does, on bytes.
    fn check(bytes: &[u8], piece: usize) -> Result<u64, Fault> {
        let end = match End::find(bytes, 0)? {
            Found::End(end) => end,
            Found::At(at) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                End::of_64(&bytes[from..bytes.len().min(from + END_64)], at)?
            }
        };
        let place = |at| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let mut walk = Walk::new(end.directory.start);
        for piece in bytes[place(end.directory.start)..place(end.directory.end)].chunks(piece) {
            walk.feed(piece)?;
        }
        walk.end(end.entries)
    }

    fn archive(files: usize, comment: &str, large: bool) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for number in 0..files {
            let options = SimpleFileOptions::default().large_file(large);
            writer
                .start_file(format!("file-{number}"), options)
                .expect("a file");
            writer
                .write_all(format!("{number}").repeat(20).as_bytes())
                .expect("content");
        }
        writer.set_comment(comment).expect("a comment");
        writer.finish().expect("an archive").into_inner()
    }

    #[test]
    fn archives_of_a_real_writer_are_whole() {
        for (files, comment, large) in [
            (0, "", false),
            (1, "", false),
            (300, "PK\u{5}\u{6} is no end", false),
            (300, "", true),
            (70_000, "more than fits 16 bits", false),
        ] {
            let bytes = archive(files, comment, large);
            assert_eq!(check(&bytes, 1000), Ok(files as u64), "{files} {comment}");
        }
    }

    #[test]
    fn cut_and_damaged_ones_are_not() {
        let bytes = archive(20, "end", false);
        for cut in 0..bytes.len() {
            assert!(check(&bytes[..cut], 64).is_err(), "cut at {cut}");
        }
        let Ok(Found::End(end)) = End::find(&bytes, 0) else {
            panic!("a small archive has a small end");
        };
        let mut damaged = bytes.clone();
        damaged[usize::try_from(end.directory.start).expect("small")] ^= 1;
        assert!(check(&damaged, 64).is_err());
        let mut without_a_byte = bytes.clone();
        without_a_byte.remove(4);
        assert!(check(&without_a_byte, 64).is_err());
        let mut longer = bytes;
        longer.push(0);
        assert!(check(&longer, 64).is_err());
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..300),
            piece in 1_usize..90,
        ) {
            let _ = check(&bytes, piece);
            let mut walk = Walk::new(u64::MAX);
            let mut record = RECORD_MARK.to_le_bytes().to_vec();
            record.extend(&bytes);
            let _ = walk.feed(&record);
            bytes.extend(END_MARK.to_le_bytes());
            bytes.extend([0; 18]);
            let _ = check(&bytes, piece);
            let _ = field_64(&bytes);
            let _ = End::of_64(&bytes, 0);
        }

        #[test]
        fn pieces_do_not_matter(files in 0_usize..30, piece in 1_usize..200) {
            prop_assert_eq!(check(&archive(files, "", false), piece), Ok(files as u64));
        }

        #[test]
        fn a_changed_byte_never_panics(at in 0_usize..3000, to: u8) {
            let mut bytes = archive(12, "", true);
            let at = at % bytes.len();
            bytes[at] = to;
            let _ = check(&bytes, 50);
        }
    }
}
