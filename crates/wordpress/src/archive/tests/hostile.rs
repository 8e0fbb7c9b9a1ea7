//! Archives made to do harm, each refused for its reason.

use super::*;
use crate::{Error, package::sample::staged_names};
use std::io::{Cursor, Write};
use tar::{EntryType, Header};
use zip::{ZipWriter, write::SimpleFileOptions};

/// A tar by hand: the crate's builder refuses what we want to have in it.
#[derive(Default)]
pub(super) struct Tar(Vec<u8>);

impl Tar {
    pub(super) fn raw(mut self, header: &Header, content: &[u8]) -> Self {
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn entry(self, kind: EntryType, name: &[u8], target: &[u8], content: &[u8]) -> Self {
        self.raw(&header(kind, name, target, content.len() as u64), content)
    }

    pub(super) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(EntryType::Regular, name.as_bytes(), b"", content)
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.packed()
    }

    fn packed(self) -> Vec<u8> {
        zstd::encode_all(self.0.as_slice(), 1).unwrap()
    }
}

pub(super) fn header(kind: EntryType, name: &[u8], target: &[u8], size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_mtime(1);
    header.set_uid(0);
    header.set_gid(0);
    let fields = header.as_gnu_mut().unwrap();
    fields.name[..name.len()].copy_from_slice(name);
    fields.linkname[..target.len()].copy_from_slice(target);
    header.set_cksum();
    header
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    crate::package::sample::zip_of(entries)
}

pub(super) fn loose() -> UnpackOptions {
    UnpackOptions {
        require_manifest: false,
        ..UnpackOptions::default()
    }
}

/// Asserts a refusal for that reason, and that nothing stays of the attempt.
pub(super) fn refused(bytes: &[u8], options: &UnpackOptions, word: &str) {
    let (dir, home) = home();
    fs::write(dir.path().join("www/index.php"), "live").unwrap();
    let before = outside(&home);
    match unpacked(&home, bytes, options) {
        Err(Error::BadInput(message)) => {
            assert!(message.contains(word), "`{message}` is not about `{word}`");
        }
        other => panic!("{word}: {other:?}"),
    }
    assert_eq!(staged_names(&home), [""; 0], "{word}");
    assert_eq!(outside(&home), before, "{word}");
}

#[test]
fn names_that_leave_or_confuse() {
    let long = "abcdefghi/".repeat(400) + "x";
    let deep = "d/".repeat(200) + "x";
    for (name, word) in [
        ("../x", "climbs"),
        ("a/../../x", "climbs"),
        ("a/..", "climbs"),
        ("/etc/x", "absolute"),
        ("", "no name"),
        (deep.as_str(), "deep"),
        (long.as_str(), "too"),
    ] {
        let tar = if name.len() > 100 {
            Tar::default()
                .entry(
                    EntryType::GNULongName,
                    b"././@LongLink",
                    b"",
                    name.as_bytes(),
                )
                .file("short", b"x")
        } else {
            Tar::default().file(name, b"x")
        };
        refused(&tar.end(), &loose(), word);
        if !name.is_empty() {
            refused(&zip_of(&[(name, b"x")]), &loose(), word);
        }
    }
    let with_nul = Tar::default()
        .entry(EntryType::XHeader, b"pax", b"", b"13 path=a\0bc\n")
        .file("short", b"x");
    refused(&with_nul.end(), &loose(), "NUL");
    for (name, word) in [
        ("a\\..\\x", "backslash"),
        ("C:/x", "absolute"),
        ("a\0b", "NUL"),
    ] {
        refused(&zip_of(&[(name, b"x")]), &loose(), word);
    }
    let over = "x".repeat(300);
    let tar = Tar::default()
        .entry(
            EntryType::GNULongName,
            b"././@LongLink",
            b"",
            over.as_bytes(),
        )
        .file("short", b"x");
    refused(&tar.end(), &loose(), "too long a name");
}

#[test]
fn names_that_are_there_twice() {
    refused(
        &Tar::default().file("a", b"1").file("./a", b"2").end(),
        &loose(),
        "twice",
    );
    refused(
        &Tar::default().file("a", b"1").file("a/b", b"2").end(),
        &loose(),
        "below what is no directory",
    );
    refused(
        &Tar::default().file("a/b", b"1").file("a", b"2").end(),
        &loose(),
        "both a directory",
    );
    let through_link = Tar::default()
        .entry(EntryType::Symlink, b"a", b"b", b"")
        .file("a/x", b"2");
    refused(&through_link.end(), &loose(), "below what is no directory");
    let directory = Tar::default()
        .file("a", b"")
        .entry(EntryType::Directory, b"a/", b"", b"");
    refused(&directory.end(), &loose(), "twice");

    refused(&zip_of(&[("a", b"1"), ("./a", b"2")]), &loose(), "twice");
    refused(
        &zip_of(&[("a", b"1"), ("a/b", b"2")]),
        &loose(),
        "below what is no directory",
    );
    // The very same name: another reader would take the other one.
    let mut twice = zip_of(&[("aa", b"1"), ("bb", b"2")]);
    for at in 0..twice.len() - 1 {
        if &twice[at..at + 2] == b"bb" {
            twice[at..at + 2].copy_from_slice(b"aa");
        }
    }
    refused(&twice, &loose(), "twice");

    let (_dir, home) = home();
    let found = unpacked(&home, &zip_of(&[("D/a", b"1"), ("d/A", b"2")]), &loose()).unwrap();
    assert_eq!(
        found.checked.case_duplicates.len(),
        2,
        "{:?}",
        found.checked.case_duplicates
    );
}

#[test]
fn links_that_leave() {
    for target in ["/etc/passwd", "../x", "a/../../x", "s/.."] {
        let tar = Tar::default().entry(EntryType::Symlink, b"l", target.as_bytes(), b"");
        refused(&tar.end(), &loose(), "leaves the tree");
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.add_symlink("l", target, SimpleFileOptions::default())
            .unwrap();
        refused(
            &zip.finish().unwrap().into_inner(),
            &loose(),
            "leaves the tree",
        );
    }
    let empty = Tar::default().entry(EntryType::Symlink, b"l", b"", b"");
    refused(&empty.end(), &loose(), "impossible target");
    let (_dir, home) = home();
    let kept = UnpackOptions {
        outside_links: OutsideLinks::Keep,
        ..loose()
    };
    let tar = Tar::default().entry(EntryType::Symlink, b"l", b"/etc/passwd", b"");
    let found = unpacked(&home, &tar.end(), &kept).unwrap();
    assert_eq!(found.checked.outside_links, [EntryPath::from("l")]);
    let link = fs::read_link(staged(&home, &found).join("l")).unwrap();
    assert_eq!(link, Path::new("/etc/passwd"));
}

#[test]
fn hard_links_are_copies_of_what_is_inside() {
    for target in ["/etc/passwd", "../x", "absent", "d"] {
        let tar = Tar::default()
            .entry(EntryType::Directory, b"d/", b"", b"")
            .entry(EntryType::Link, b"l", target.as_bytes(), b"");
        let (_dir, home) = home();
        let why = unpacked(&home, &tar.end(), &loose()).unwrap_err();
        assert!(matches!(why, Error::BadInput(_)), "{why}");
        assert_eq!(staged_names(&home), [""; 0]);
    }
    let (_dir, home) = home();
    let tar = Tar::default()
        .file("a", b"content")
        .entry(EntryType::Link, b"b", b"a", b"");
    let found = unpacked(&home, &tar.end(), &loose()).unwrap();
    let dir = staged(&home, &found);
    fs::write(dir.join("a"), "changed").unwrap();
    assert_eq!(fs::read(dir.join("b")).unwrap(), b"content");
    // Copies count: this would be 40 GB.
    let mut tar = Tar::default().file("a", &vec![1; 1024 * 1024]);
    for n in 0..40_000 {
        tar = tar.entry(EntryType::Link, format!("l{n}").as_bytes(), b"a", b"");
    }
    let little = UnpackOptions {
        limits: Limits {
            bytes: 50 * 1024 * 1024,
            ..Limits::default()
        },
        ..loose()
    };
    refused(&tar.end(), &little, "more than 52428800 bytes");
}

#[test]
fn devices_and_unknown_kinds() {
    for (kind, word) in [
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::Fifo, "device"),
        (EntryType::GNUSparse, "holes"),
        (EntryType::new(b'V'), "unknown kind"),
    ] {
        refused(
            &Tar::default().entry(kind, b"x", b"", b"").end(),
            &loose(),
            word,
        );
    }
    let pax = Tar::default()
        .entry(EntryType::XHeader, b"pax", b"", b"22 GNU.sparse.major=1\n")
        .file("x", b"1");
    refused(&pax.end(), &loose(), "holes");
    for mode in [0o010_644_u32, 0o020_644, 0o060_644, 0o140_644] {
        let mut zip = zip_of(&[("x", b"")]);
        let list = (0..zip.len())
            .find(|at| zip[*at..].starts_with(b"PK\x01\x02"))
            .unwrap();
        zip[list + 38..list + 42].copy_from_slice(&(mode << 16).to_le_bytes());
        refused(&zip, &loose(), "device");
    }
}

#[test]
fn bombs() {
    let zeros = vec![0; 100 * 1024 * 1024];
    refused(
        &Tar::default().file("a", &zeros).end(),
        &loose(),
        "more than 500 times",
    );
    refused(&zip_of(&[("a", &zeros)]), &loose(), "more than 500 times");
    // In total: none of them is much by itself.
    let part = &zeros[..30 * 1024 * 1024];
    let mut many = Tar::default();
    for n in 0..5 {
        many = many.file(&format!("{n}"), part);
    }
    refused(&many.end(), &loose(), "more than 500 times");

    let limited = |limits: Limits| UnpackOptions { limits, ..loose() };
    let two = Tar::default().file("a", b"12345").file("b", b"12345").end();
    let two_zip = zip_of(&[("a", b"12345"), ("b", b"12345")]);
    for bytes in [&two, &two_zip] {
        let usual = Limits::default();
        refused(
            bytes,
            &limited(Limits {
                entries: 1,
                ..usual
            }),
            "more than 1 entries",
        );
        refused(
            bytes,
            &limited(Limits { bytes: 9, ..usual }),
            "more than 9 bytes",
        );
        refused(
            bytes,
            &limited(Limits {
                entry_bytes: 4,
                ..usual
            }),
            "more than 4",
        );
    }
    let (_dir, home) = home();
    let small = Limits {
        archive_bytes: 40,
        ..Limits::default()
    };
    for bytes in [&two, &two_zip] {
        assert!(unpacked(&home, bytes, &limited(small)).is_err());
    }
    // A header that promises more than there is.
    let lies = Tar::default().raw(&header(EntryType::Regular, b"a", b"", 1 << 40), b"x");
    refused(&lies.packed(), &loose(), "more than");
    let lies = Tar::default().raw(&header(EntryType::Regular, b"a", b"", 1 << 20), b"x");
    refused(&lies.packed(), &loose(), "1048576");
    // Names alone, of which each is short.
    let names = limited(Limits {
        name_bytes: 15,
        ..Limits::default()
    });
    let long = Tar::default().file("aaaaaa/bbbbb", b"");
    refused(&long.end(), &names, "more than 15 bytes of names");
    let link = Tar::default().entry(EntryType::Symlink, b"aaaaaaaa", b"bbbbbbbb", b"");
    refused(&link.end(), &names, "more than 15 bytes of names");
    // Headers that describe no entry.
    let mut nothing = Tar::default();
    for _ in 0..1000 {
        nothing = nothing.entry(EntryType::GNULongName, b"n", b"", b"x");
    }
    refused(&nothing.packed(), &loose(), "extended headers of nothing");
    // A name without end.
    let name = Tar::default().raw(&header(EntryType::GNULongName, b"n", b"", 1 << 33), b"x");
    refused(&name.packed(), &loose(), "extended header");
    // Memory: a window of 2 GiB.
    let mut wide = zstd::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(30).unwrap();
    wide.write_all(&Tar::default().file("a", b"x").0).unwrap();
    wide.write_all(&zeros[..1024]).unwrap();
    refused(&wide.finish().unwrap(), &loose(), "damaged");
}

#[test]
fn sums_that_a_site_forged() {
    let all = Totals {
        files: u64::MAX,
        directories: u64::MAX,
        links: 1,
        bytes: u64::MAX,
    };
    let (usual, forged) = (Limits::default(), Limits::of(&all));
    assert_eq!(forged.entries, usual.entries);
    assert_eq!(forged.bytes, usual.bytes);
    assert_eq!(forged.entry_bytes, usual.entry_bytes);
    assert!(forged.ratio > 0);

    // Entries of nothing, which pack to next to nothing, and a few sums that allow them.
    let limits = Limits {
        entries: forged.entries / 100,
        ..forged
    };
    let mut many = Tar::default();
    for n in 0..=limits.entries {
        many = many.file(&format!("{n}"), b"");
    }
    let bytes = many.end();
    assert!(bytes.len() < 400_000, "{}", bytes.len());
    let options = UnpackOptions { limits, ..loose() };
    let told = format!("more than {} entries", limits.entries);
    refused(&bytes, &options, &told);
}

#[test]
fn honest_sums_are_kept_to_and_sparse_files_pass() {
    let totals = Totals {
        files: 2,
        directories: 1,
        links: 1,
        bytes: 100 * 1024 * 1024,
    };
    let limits = Limits::of(&totals);
    assert_eq!((limits.entries, limits.bytes), (1004, totals.bytes));
    let (_dir, home) = home();
    let zeros = vec![0; 100 * 1024 * 1024];
    let options = UnpackOptions { limits, ..loose() };
    unpacked(&home, &Tar::default().file("a", &zeros).end(), &options).unwrap();
}

#[test]
fn a_manifest_is_no_longer_than_what_came_explains() {
    let limits = Limits::default();
    let (few, many) = (
        limits.manifest_of(3, 30),
        limits.manifest_of(500_000, 60 << 20),
    );
    assert!(few < 20 << 20 && few < many && many <= limits.manifest_bytes);
    assert_eq!(
        limits.manifest_of(u64::MAX, u64::MAX),
        limits.manifest_bytes
    );
}

#[test]
fn ends_that_are_none() {
    refused(
        &Tar::default().file("a", b"x").packed(),
        &loose(),
        "damaged",
    );
    let mut more = Tar::default().file("a", b"x");
    more.0.extend_from_slice(&[0; 1024]);
    refused(&more.file("b", b"hidden").end(), &loose(), "after its end");
    let whole = Tar::default().file("a", &[7; 5000]).end();
    refused(&whole[..whole.len() - 4], &loose(), "damaged");
    refused(b"", &loose(), "neither");
    refused(b"PK", &loose(), "not a whole zip");
    let mut header = header(EntryType::Regular, b"a", b"", 1);
    header.set_mode(0o777);
    refused(
        &Tar::default().raw(&header, b"x").end(),
        &loose(),
        "checksum",
    );
}

#[test]
fn zips_whose_entries_share_bytes() {
    // Two list entries, one content: the second's offset is set to the first's.
    let mut zip = zip_of(&[("aaa", &[7; 3000]), ("aab", &[7; 3000])]);
    let lists: Vec<usize> = (0..zip.len() - 4)
        .filter(|at| &zip[*at..at + 4] == b"PK\x01\x02")
        .collect();
    let first: Vec<u8> = zip[lists[0] + 42..lists[0] + 46].to_vec();
    zip[lists[1] + 42..lists[1] + 46].copy_from_slice(&first);
    refused(&zip, &loose(), "share their bytes");
}

#[test]
fn a_stale_or_cancelled_worker_leaves_nothing() {
    let (_dir, home) = home();
    let tar = Tar::default().file("a", b"x").end();
    let stale = unpack(
        &home,
        Epoch::new(9),
        &mut tar.as_slice(),
        &loose(),
        &Watch::unbounded(),
    );
    assert!(matches!(stale, Err(Error::Fenced { .. })));
    let watch = Watch::unbounded();
    let mut read = 0;
    // Cancelled in the middle of the stream.
    let mut input = tar.as_slice();
    let mut cancelling = Cancelling {
        inner: &mut input,
        watch: &watch,
        read: &mut read,
    };
    let gone = unpack(&home, EPOCH, &mut cancelling, &loose(), &watch);
    assert!(matches!(gone, Err(Error::Cancelled)), "{gone:?}");
    assert_eq!(staged_names(&home), [""; 0]);
}

struct Cancelling<'a> {
    inner: &'a mut &'a [u8],
    watch: &'a Watch,
    read: &'a mut usize,
}

impl std::io::Read for Cancelling<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        *self.read += 1;
        if *self.read > 8 {
            self.watch.cancel();
        }
        let length = into.len().min(4);
        self.inner.read(&mut into[..length])
    }
}
