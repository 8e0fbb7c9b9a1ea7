//! What is packed, what is not, and what is said about it.

use super::*;
use crate::package::sample::staged_names;
use std::{
    io::{self, Write},
    os::unix::{
        fs::{FileExt, PermissionsExt, symlink},
        net::UnixListener,
    },
};

fn why(manifest: &Manifest, path: &str) -> Why {
    manifest
        .left_out
        .iter()
        .find(|left| left.path.to_string() == path)
        .unwrap_or_else(|| panic!("{path} is not among {:?}", manifest.left_out))
        .why
        .clone()
}

fn paths(manifest: &Manifest) -> Vec<String> {
    let entries = manifest.entries.iter();
    entries.map(|entry| entry.path.to_string()).collect()
}

#[test]
fn more_entries_than_could_be_verified_are_not_packed() {
    let (dir, home) = home();
    let www = dir.path().join("www");
    fs::create_dir_all(www.join("d")).unwrap();
    for n in 0..8 {
        fs::write(www.join("d").join(n.to_string()), "x").unwrap();
    }
    let watch = Watch::unbounded();
    let told = options(Format::TarZst);
    let pack = |most| {
        let mut out = Vec::new();
        let mut packer = Packer::new(&home, &told.packer, &mut out, &watch)?.at_most(most);
        packer.add_tree("files", &told.tree)?;
        packer.finish().map(|manifest| (manifest, out))
    };
    let (whole, _) = pack(u64::MAX).unwrap();
    let entries = whole.entries.len() as u64;
    let (manifest, out) = pack(entries).unwrap();
    let limits = Limits::of(&manifest.totals);
    verify(&mut out.as_slice(), &limits, &watch).unwrap();
    let why = pack(entries - 1).unwrap_err().to_string();
    assert!(
        why.contains(&format!("more than {} files and directories", entries - 1)),
        "{why}"
    );
    assert!(Limits::default().entries > MOST_ENTRIES);
}

#[test]
fn what_is_left_out_is_named() {
    let (dir, home) = home();
    let www = dir.path().join("www");
    for made in [
        "wp-content/cache/page",
        "wp-content/updraft",
        "wp-content/uploads",
        "x/node_modules",
    ] {
        fs::create_dir_all(www.join(made)).unwrap();
        fs::write(www.join(made).join("f"), "x").unwrap();
    }
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        www.join("pipe"),
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    let _socket = UnixListener::bind(www.join("socket")).unwrap();
    symlink("/etc/passwd", www.join("out")).unwrap();
    symlink("x", www.join("in")).unwrap();
    fs::write(www.join("back\\slash"), "x").unwrap();
    let mut options = options(Format::Zip);
    options.tree.exclude = vec!["node_modules".into()];
    let mut out = Vec::new();
    let manifest = pack(&home, &options, &mut out, &Watch::unbounded()).unwrap();
    let excluded = |pattern: &str| Why::Excluded {
        pattern: pattern.into(),
    };
    assert_eq!(
        why(&manifest, "files/wp-content/cache"),
        excluded("**/wp-content/cache")
    );
    assert_eq!(
        why(&manifest, "files/wp-content/updraft"),
        excluded("**/wp-content/updraft")
    );
    assert_eq!(
        why(&manifest, "files/x/node_modules"),
        excluded("node_modules")
    );
    assert_eq!(why(&manifest, "files/pipe"), Why::Fifo);
    assert_eq!(why(&manifest, "files/socket"), Why::Socket);
    assert_eq!(why(&manifest, "files/back\\slash"), Why::Name);
    assert_eq!(manifest.outside_links, [EntryPath::from("files/out")]);
    assert_eq!(
        paths(&manifest),
        [
            "files",
            "files/in",
            "files/out",
            "files/wp-content",
            "files/wp-content/uploads",
            "files/wp-content/uploads/f",
            "files/x"
        ]
    );
    assert_eq!(
        manifest.trees[0].excluded,
        [
            "back\\slash",
            "pipe",
            "socket",
            "wp-content/cache",
            "wp-content/updraft",
            "x/node_modules"
        ]
        .map(EntryPath::from)
    );
    // A link is stored as its text: what it points to is nowhere in the archive.
    let (tar, _) = packed(&home, Format::TarZst);
    let plain = zstd::decode_all(tar.as_slice()).unwrap();
    assert!(!plain.windows(5).any(|part| part == b"root:"));

    options.tree.usual_excludes = false;
    options.tree.source = ".".into();
    let manifest = pack(&home, &options, &mut Vec::new(), &Watch::unbounded()).unwrap();
    assert_eq!(why(&manifest, "files/.pressroom"), Why::Ours);
    assert!(paths(&manifest).contains(&"files/www/wp-content/cache/page/f".to_owned()));
}

#[test]
fn unreadable_files_are_named() {
    if again_without_root("packing::unreadable_files_are_named") {
        return;
    }
    let (dir, home) = home();
    let www = dir.path().join("www");
    fs::create_dir(www.join("closed")).unwrap();
    fs::write(www.join("secret"), "x").unwrap();
    for path in ["closed", "secret"] {
        fs::set_permissions(www.join(path), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let manifest = packed(&home, Format::TarZst).1;
    assert!(matches!(
        why(&manifest, "files/secret"),
        Why::Unreadable { .. }
    ));
    assert!(matches!(
        why(&manifest, "files/closed"),
        Why::Unreadable { .. }
    ));
    fs::set_permissions(www.join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
}

/// Does something to the site when the archive has grown to a size.
struct Meddling<F: FnMut()> {
    written: usize,
    at: usize,
    act: F,
}

impl<F: FnMut()> Write for Meddling<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let before = self.written;
        self.written += bytes.len();
        if before < self.at && self.written >= self.at {
            (self.act)();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    (0..length)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            u8::try_from(state >> 56).unwrap()
        })
        .collect()
}

#[test]
fn a_file_that_changes_while_it_is_read_is_named_and_the_archive_whole() {
    let (dir, home) = home();
    let big = dir.path().join("www/big");
    let content = noise(64 * 1024 * 1024);
    for grow in [true, false] {
        fs::write(&big, &content).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&big).unwrap();
        let mut archive = Vec::new();
        let mut meddling = Meddling {
            written: 0,
            at: 1,
            act: || {
                if grow {
                    file.write_all_at(b"changed", 60 * 1024 * 1024).unwrap();
                    file.write_all_at(b"more", 70 * 1024 * 1024).unwrap();
                } else {
                    file.set_len(1000).unwrap();
                }
            },
        };
        let mut both = Tee(&mut archive, &mut meddling);
        let manifest = pack(
            &home,
            &options(Format::TarZst),
            &mut both,
            &Watch::unbounded(),
        )
        .unwrap();
        assert_eq!(manifest.changed, [EntryPath::from("files/big")]);
        assert_eq!(manifest.totals.bytes, content.len() as u64);
        let checked = verify(
            &mut archive.as_slice(),
            &Limits::default(),
            &Watch::unbounded(),
        )
        .unwrap();
        assert_eq!(checked.trees, manifest.trees);
    }
}

struct Tee<'a>(&'a mut Vec<u8>, &'a mut dyn Write);

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn equal_trees_give_equal_archives_with_any_number_of_threads() {
    let (dir, home) = home();
    let www = dir.path().join("www");
    for n in 0..300 {
        fs::create_dir_all(www.join(format!("d{}", n % 40))).unwrap();
        fs::write(www.join(format!("d{}/f{n}", n % 40)), noise(n * 500)).unwrap();
    }
    fs::write(www.join("large"), noise(9_000_000)).unwrap();
    for format in [Format::TarZst, Format::Zip] {
        let archives: Vec<Vec<u8>> = [1, 2, 5]
            .into_iter()
            .map(|threads| {
                let mut options = options(format);
                options.packer.threads = threads;
                let mut out = Vec::new();
                pack(&home, &options, &mut out, &Watch::unbounded()).unwrap();
                out
            })
            .collect();
        assert!(
            archives[0] == archives[1] && archives[1] == archives[2],
            "{format:?}"
        );
    }
}

#[test]
fn a_sparse_file_goes_through_and_stays_sparse() {
    use std::os::unix::fs::MetadataExt;
    const SIZE: u64 = 1 << 30;
    let (dir, home) = home();
    let file = fs::File::create(dir.path().join("www/sparse")).unwrap();
    file.set_len(SIZE).unwrap();
    file.write_all_at(b"end", SIZE - 3).unwrap();
    let (bytes, manifest) = packed(&home, Format::TarZst);
    assert!(bytes.len() < 2_000_000);
    let foreign = unpacked(&home, &bytes, &UnpackOptions::default());
    assert!(
        foreign
            .unwrap_err()
            .to_string()
            .contains("more than 500 times")
    );
    let ours = UnpackOptions {
        limits: Limits::of(&manifest.totals),
        ..UnpackOptions::default()
    };
    let found = unpacked(&home, &bytes, &ours).unwrap();
    let about = fs::metadata(staged(&home, &found).join("files/sparse")).unwrap();
    assert_eq!(about.len(), SIZE);
    assert!(about.blocks() * 512 < 10_000_000);
    assert_eq!(found.checked.trees, manifest.trees);
}

#[test]
fn streams_stand_beside_the_trees() {
    let (dir, home) = home();
    fs::write(dir.path().join("www/index.php"), "<?php").unwrap();
    fs::create_dir(dir.path().join("logs2")).unwrap();
    fs::write(dir.path().join("logs2/a.log"), "line").unwrap();
    let dump = noise(3_000_000);
    let watch = Watch::unbounded();
    for format in [Format::TarZst, Format::Zip] {
        let mut out = Vec::new();
        let mut packer = Packer::new(&home, &PackerOptions::new(format), &mut out, &watch).unwrap();
        let rows = packer
            .add_written("database.sql", |out| {
                out.write_all(&dump).unwrap();
                Ok(7)
            })
            .unwrap();
        assert_eq!(rows, 7);
        let tree = packer.add_tree("files", &TreeOptions::new("www")).unwrap();
        assert_eq!(Some(tree.hash), hash(&dir.path().join("www")));
        packer.add_tree("logs", &TreeOptions::new("logs2")).unwrap();
        packer
            .add_stream("note.txt", &mut b"said".as_slice())
            .unwrap();
        for taken in [
            "files",
            "database.sql",
            "manifest.json",
            "a/b",
            "..",
            "",
            ".",
        ] {
            assert!(
                packer.add_stream(taken, &mut io::empty()).is_err(),
                "{taken}"
            );
        }
        let manifest = packer.finish().unwrap();
        assert_eq!(manifest.totals.files, 4);
        let found = unpacked(&home, &out, &UnpackOptions::default()).unwrap();
        assert_eq!(found.checked.files, ["database.sql", "note.txt"]);
        assert_eq!(found.checked.trees.len(), 2);
        assert_eq!(
            fs::read(staged(&home, &found).join("database.sql")).unwrap(),
            dump
        );
        drop_unpacked(&home, EPOCH, &found.staged, &watch).unwrap();
    }
    // A dump that fails is no archive.
    let mut out = Vec::new();
    let mut packer =
        Packer::new(&home, &PackerOptions::new(Format::TarZst), &mut out, &watch).unwrap();
    let failed = packer.add_written("database.sql", |out| {
        out.write_all(b"half").unwrap();
        Err::<(), _>(crate::Error::Database("gone".into()))
    });
    assert!(failed.is_err());
    drop(packer);
    assert!(verify(&mut out.as_slice(), &Limits::default(), &watch).is_err());
    assert_eq!(staged_names(&home), [""; 0]);
}

#[test]
fn a_reader_that_goes_away_and_a_caller_who_withdraws_end_it() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (dir, home) = home();
    for n in 0..200 {
        fs::write(dir.path().join(format!("www/{n}")), noise(100_000)).unwrap();
    }
    let full = pack(
        &home,
        &options(Format::TarZst),
        &mut Full,
        &Watch::unbounded(),
    );
    assert!(
        matches!(full, Err(crate::Error::NoSpace { .. })),
        "{full:?}"
    );
    let watch = Watch::unbounded();
    let mut cancelling = Meddling {
        written: 0,
        at: 1,
        act: || watch.cancel(),
    };
    let gone = pack(&home, &options(Format::Zip), &mut cancelling, &watch);
    assert!(matches!(gone, Err(crate::Error::Cancelled)), "{gone:?}");
    let missing = TreeOptions::new("nowhere");
    let watch = Watch::unbounded();
    let mut out = Vec::new();
    let mut packer =
        Packer::new(&home, &PackerOptions::new(Format::TarZst), &mut out, &watch).unwrap();
    assert!(matches!(
        packer.add_tree("files", &missing),
        Err(crate::Error::Missing(_))
    ));
}
