//! Reads a zip, which needs all of it at once: its list is at the end.

use super::{
    intake::{Attributes, Intake},
    limits::Counted,
    names::{self, refused},
};
use crate::{Error, Result};
use std::io::{Read, Seek, SeekFrom};
use zip::{ZipArchive, extra_fields::ExtraField};

const KIND: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
/// The least that an entry takes in the list.
const LISTED: u64 = 46;
/// Much more than an entry takes in the list.
const LISTED_AT_MOST: u64 = 8 * 1024;

pub(super) fn read<R: Read + Seek>(intake: &mut Intake<'_>, mut input: R) -> Result<()> {
    let limits = *intake.meter.limits();
    let size = input
        .seek(SeekFrom::End(0))
        .map_err(|why| Error::io("read", "archive", why))?;
    if size > limits.archive_bytes {
        return Err(Error::BadInput(format!(
            "archive is larger than {} bytes",
            limits.archive_bytes
        )));
    }
    check_list(&mut input, size, limits.entries)?;
    // Of a zip all bytes count as read: a jump from list to content is no reading.
    let counted = Counted::new(input, intake.packed.clone(), u64::MAX);
    let mut zip = ZipArchive::new(counted).map_err(|why| not_a_zip(&why))?;
    if zip.has_duplicate_names() {
        return Err(Error::BadInput("archive has an entry twice".to_owned()));
    }
    if zip.has_overlapping_files().map_err(|why| not_a_zip(&why))? {
        return Err(Error::BadInput(
            "archive has entries that share their bytes".to_owned(),
        ));
    }
    for index in 0..zip.len() {
        intake.watch.check()?;
        let mut entry = zip.by_index(index).map_err(|why| not_a_zip(&why))?;
        let name = entry.name_raw().to_vec();
        if entry.encrypted() {
            return Err(refused(&name, "is encrypted"));
        }
        let mtime = mtime_of(&entry);
        let declared = entry.size();
        let packed = entry.compressed_size();
        let mode = entry.unix_mode();
        let kind = mode.map_or(0, |mode| mode & KIND);
        let attributes = |usual| Attributes {
            mode: mode.map_or(usual, |mode| mode & 0o7777),
            mtime,
        };
        let slash = name.ends_with(b"/");
        match kind {
            DIRECTORY | 0 | FILE if slash => {
                if declared > 0 {
                    return Err(refused(&name, "has content and should not"));
                }
                intake.directory(&name, attributes(0o755))?;
            }
            LINK if !slash => {
                let limit = names::MAX_PATH as u64;
                if declared > limit {
                    return Err(refused(&name, "is a link with an impossible target"));
                }
                let mut target = Vec::new();
                (&mut entry)
                    .take(limit + 1)
                    .read_to_end(&mut target)
                    .map_err(|why| refused(&name, &format!("is damaged: {why}")))?;
                intake.link(&name, &target, mtime)?;
            }
            FILE | 0 => {
                let dense = limits.ratio > 0
                    && declared > limits.ratio_free
                    && declared / limits.ratio > packed;
                if dense {
                    return Err(refused(
                        &name,
                        &format!("is packed more than {} times", limits.ratio),
                    ));
                }
                intake.file(&name, declared, attributes(0o644), &mut entry)?;
            }
            _ => return Err(refused(&name, "is a device, a pipe or no kind of file")),
        }
    }
    Ok(())
}

/// Refuses a list of more entries than may be, before it is taken into memory.
fn check_list<R: Read + Seek>(input: &mut R, size: u64, entries: u64) -> Result<()> {
    const TAIL: u64 = 66 * 1024;
    let from = size.saturating_sub(TAIL);
    let mut tail = Vec::new();
    input
        .seek(SeekFrom::Start(from))
        .and_then(|_| input.take(TAIL).read_to_end(&mut tail))
        .map_err(|why| Error::io("read", "archive", why))?;
    let field = |at: usize, length: usize| {
        tail.get(at..at + length).map_or(0, |bytes| {
            bytes
                .iter()
                .rev()
                .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte))
        })
    };
    for at in 0..tail.len() {
        let (count, bytes) = match &tail[at..] {
            rest if rest.starts_with(b"PK\x05\x06") => (field(at + 10, 2), field(at + 12, 4)),
            rest if rest.starts_with(b"PK\x06\x06") => (field(at + 32, 8), field(at + 40, 8)),
            _ => continue,
        };
        // Where 64-bit fields hold the truth, these are all ones.
        let bytes = if bytes == u64::from(u32::MAX) {
            0
        } else {
            bytes
        };
        let count = if count == u64::from(u16::MAX) {
            0
        } else {
            count
        };
        let most = entries.saturating_mul(LISTED_AT_MOST);
        if count > entries || count.saturating_mul(LISTED) > size || bytes > most.min(size) {
            return Err(Error::BadInput(format!(
                "archive has more than {entries} entries, or says so"
            )));
        }
    }
    Ok(())
}

/// The exact time where there is one, else the format's own, taken as UTC.
fn mtime_of<R: Read>(entry: &zip::read::ZipFile<'_, R>) -> u64 {
    let exact = entry.extra_data_fields().find_map(|field| match field {
        ExtraField::ExtendedTimestamp(times) => times.mod_time(),
        _ => None,
    });
    if let Some(exact) = exact {
        return u64::from(exact);
    }
    let Some(time) = entry.last_modified() else {
        return 0;
    };
    let (year, month) = (u64::from(time.year()), u64::from(time.month()));
    // Days since 1970 by the usual formula, years beginning in March.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year.saturating_sub(1), month + 9)
    };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + u64::from(time.day());
    let clock =
        u64::from(time.hour()) * 3600 + u64::from(time.minute()) * 60 + u64::from(time.second());
    (days.saturating_sub(719_469)) * 86_400 + clock
}

fn not_a_zip(why: &zip::result::ZipError) -> Error {
    Error::BadInput(format!("archive is not a whole zip: {why}"))
}
