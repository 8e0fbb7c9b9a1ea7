//! Looks into an archive that somebody made, ours or not, without keeping anything of it.

use super::{
    glance::Glance,
    intake::{Checked, Intake},
    limits::Limits,
    names::{self, Rules},
    read_tar, read_zip,
};
use crate::{
    Error, Result,
    snapshot::{DATABASE, FILES},
    watch::Watch,
};
use std::io::{Read, Seek, SeekFrom};

/// Names at the top that are told of.
const MOST_NAMES: usize = 50;

/// What is in an archive that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Inspected {
    /// What reading it showed.
    pub checked: Checked,
    /// It is laid out as a snapshot is, and holds what its manifest says.
    pub is_snapshot: bool,
    /// Tables are in it.
    pub has_database: bool,
    /// Files of a site are in it.
    pub has_files: bool,
    /// Directories at the top of the files, or the files there if there are none; the first
    /// fifty in the order of letters.
    pub paths: Vec<String>,
    /// WordPress' version, as its files say it.
    pub core_version: Option<String>,
    /// The address that the tables name.
    pub url: Option<String>,
    /// What the names of the tables begin with.
    pub table_prefix: Option<String>,
    /// Whether the tables are a network's.
    pub network: bool,
}

/// Reads an archive to its end, whatever it is of the four: a tar in zstd or gzip, a tar, a
/// zip. Refused is what [`super::verify()`] refuses, and every link that leads out of it.
/// One without a manifest of ours is held against nothing.
pub fn inspect<R: Read + Seek>(mut input: R, limits: &Limits, watch: &Watch) -> Result<Inspected> {
    let mut start = [0; 4];
    let read = read_start(&mut input, &mut start)?;
    input
        .seek(SeekFrom::Start(0))
        .map_err(|why| Error::io("read", "archive", why))?;
    let start = &start[..read];
    let is_zip = start.starts_with(b"PK");
    let rules = if is_zip { Rules::Zip } else { Rules::Tar };
    let mut glance = Glance::default();
    let mut intake = Intake::new(*limits, rules, &mut glance, watch);
    if is_zip {
        read_zip::read(&mut intake, input)?;
    } else if start.starts_with(&[0x1f, 0x8b]) {
        read_tar::read_gzip(&mut intake, &mut input)?;
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        read_tar::read(&mut intake, &mut input)?;
    } else {
        read_tar::read_plain(&mut intake, &mut input)?;
    }
    let (checked, _) = intake.finish()?;
    if let Some(link) = checked.outside_links.first() {
        return Err(names::refused(
            link.bytes(),
            "is a link that leads out of the archive",
        ));
    }
    Ok(judge(checked, &glance))
}

fn read_start(input: &mut impl Read, start: &mut [u8; 4]) -> Result<usize> {
    let mut read = 0;
    while read < start.len() {
        match input.read(&mut start[read..]) {
            Ok(0) => break,
            Ok(count) => read += count,
            Err(why) if why.kind() == std::io::ErrorKind::Interrupted => {}
            Err(why) => return Err(Error::io("read", "archive", why)),
        }
    }
    Ok(read)
}

fn judge(checked: Checked, glance: &Glance) -> Inspected {
    let has_tree = checked.trees.iter().any(|tree| tree.prefix == FILES);
    let has_dump = checked.files.iter().any(|name| name == DATABASE);
    let is_snapshot = checked.has_manifest && (has_tree || has_dump);
    let (has_database, has_files) = if is_snapshot {
        (has_dump, has_tree)
    } else {
        (glance.has_tables, glance.has_others)
    };
    let tables = if is_snapshot { glance.tables() } else { None };
    Inspected {
        paths: glance.paths(is_snapshot, MOST_NAMES),
        core_version: glance.core_version(),
        url: tables.as_ref().and_then(|tables| tables.home.clone()),
        network: tables.as_ref().is_some_and(|tables| tables.network),
        table_prefix: tables.map(|tables| tables.prefix),
        checked,
        is_snapshot,
        has_database,
        has_files,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn tar(entries: &[(&str, tar::EntryType, &str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, kind, target, content) in entries {
            let mut header = tar::Header::new_ustar();
            // Not by the setters, which refuse what is hostile.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            header.set_cksum();
            bytes.extend(header.as_bytes());
            bytes.extend(*content);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.extend([0; 1024]);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).expect("packs");
        packer.finish().expect("packs")
    }

    fn zip(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
        let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, mode, content) in entries {
            let options = ::zip::write::SimpleFileOptions::default().unix_permissions(*mode);
            if *mode & 0o170_000 == 0o120_000 {
                let target = std::str::from_utf8(content).expect("a target");
                writer.add_symlink(*name, target, options).expect("a link");
            } else {
                writer.start_file(*name, options).expect("a file");
                writer.write_all(content).expect("content");
            }
        }
        writer.finish().expect("an archive").into_inner()
    }

    fn look(bytes: Vec<u8>) -> Result<Inspected> {
        let limits = Limits {
            bytes: 1 << 30,
            ..Limits::default()
        };
        inspect(Cursor::new(bytes), &limits, &Watch::unbounded())
    }

    use tar::EntryType::{Block, Char, Directory, Fifo, Link, Regular, Symlink};

    #[test]
    fn what_others_made_is_listed() {
        let files = tar(&[
            ("wp-content/", Directory, "", b""),
            ("wp-content/a.txt", Regular, "", b"one"),
            ("wp-content/again.txt", Link, "wp-content/a.txt", b""),
            ("wp-content/beside", Symlink, "a.txt", b""),
            ("dump.sql", Regular, "", b"SELECT 1;"),
            (
                "wp-includes/version.php",
                Regular,
                "",
                b"<?php\n$wp_version = '6.5.5';\n",
            ),
        ]);
        for bytes in [
            files.clone(),
            gzip(&files),
            zstd::encode_all(&files[..], 1).expect("packs"),
        ] {
            let seen = look(bytes).expect("readable");
            assert!(!seen.is_snapshot && seen.has_database && seen.has_files);
            assert_eq!(seen.paths, ["wp-content", "wp-includes"]);
            assert_eq!(seen.core_version.as_deref(), Some("6.5.5"));
            assert_eq!((seen.url, seen.table_prefix), (None, None));
        }
        let seen = look(zip(&[
            ("a.txt", 0o100_644, b"x"),
            ("b/c.txt", 0o100_644, b"y"),
        ]));
        let seen = seen.expect("readable");
        assert!(!seen.has_database && seen.has_files);
        assert_eq!(seen.paths, ["b"]);
    }

    #[test]
    fn what_leads_out_is_refused() {
        for (name, kind, target) in [
            ("../x", Regular, ""),
            ("a/../../x", Regular, ""),
            ("/etc/x", Regular, ""),
            ("x", Symlink, "/etc/passwd"),
            ("x", Symlink, "../y"),
            ("a/x", Symlink, "b/../../y"),
            ("x", Link, "/etc/passwd"),
            ("x", Link, "../y"),
            ("x", Char, ""),
            ("x", Block, ""),
            ("x", Fifo, ""),
        ] {
            let bytes = tar(&[("a/b", Regular, "", b"1"), (name, kind, target, b"")]);
            for bytes in [gzip(&bytes), bytes] {
                let refused = look(bytes).expect_err(name).to_string();
                assert!(refused.contains("archive entry"), "{refused}");
            }
        }
        for (name, mode, content) in [
            ("../x", 0o100_644, &b"1"[..]),
            ("/x", 0o100_644, b"1"),
            ("a\\x", 0o100_644, b"1"),
            ("x", 0o120_777, b"../y"),
            ("x", 0o120_777, b"/etc/passwd"),
        ] {
            assert!(look(zip(&[(name, mode, content)])).is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_cut_or_no_archive_is_refused() {
        let whole = tar(&[("a", Regular, "", &[7; 5000])]);
        let packed = gzip(&whole);
        for cut in [0, 1, 5, packed.len() / 2, packed.len() - 1] {
            assert!(look(packed[..cut].to_vec()).is_err(), "{cut}");
        }
        for cut in [0, 100, 512, 3000, 512 + 5120] {
            assert!(look(whole[..cut].to_vec()).is_err(), "{cut}");
        }
        let zipped = zip(&[("a", 0o100_644, &[7; 500])]);
        for cut in 0..zipped.len() {
            assert!(look(zipped[..cut].to_vec()).is_err(), "{cut}");
        }
        for bytes in [&b"hello"[..], &[0; 400], b"PK", b"\x1f\x8b"] {
            assert!(look(bytes.to_vec()).is_err());
        }
    }

    #[test]
    fn bombs_end_early() {
        // By ratio: much of nothing in little.
        let mut bytes = tar(&[]);
        let mut header = tar::Header::new_ustar();
        header.set_path("zeros").expect("a name");
        header.set_size(600 << 20);
        header.set_mode(0o644);
        header.set_entry_type(Regular);
        header.set_cksum();
        bytes.splice(0..0, header.as_bytes().iter().copied());
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(&bytes[..512]).expect("packs");
        for _ in 0..600 {
            writer.write_all(&vec![0; 1 << 20]).expect("packs");
        }
        writer.write_all(&[0; 1024]).expect("packs");
        let packed = writer.finish().expect("packs");
        assert!(packed.len() < (600 << 20) / 100, "{}", packed.len());
        let limits = Limits {
            ratio: 50,
            ..Limits::default()
        };
        let watch = Watch::unbounded();
        let refused = inspect(Cursor::new(&packed), &limits, &watch).expect_err("a bomb");
        assert!(refused.to_string().contains("times"), "{refused}");
        // By what it says.
        let limits = Limits {
            bytes: 100 << 20,
            ..Limits::default()
        };
        assert!(inspect(Cursor::new(&packed), &limits, &watch).is_err());
        let zeros = vec![0; 200 << 20];
        let zipped = zip(&[("zeros", 0o100_644, &zeros)]);
        assert!(inspect(Cursor::new(zipped), &limits, &watch).is_err());
    }
}
