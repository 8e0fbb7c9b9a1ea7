//! Arbitrary trees, packed and unpacked; damaged archives.

use super::*;
use crate::package::sample::staged_names;
use proptest::prelude::*;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt, symlink},
    },
};

#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>, u32, u32),
    Link(String),
    Directory(BTreeMap<Vec<u8>, Node>, u32, u32),
}

fn nodes(utf8: bool) -> impl Strategy<Value = BTreeMap<Vec<u8>, Node>> {
    let name = if utf8 {
        "[a-c.0äß -]{1,4}".prop_map(String::into_bytes).boxed()
    } else {
        prop_oneof![
            4 => "[a-c.0äß\\\\ -]{1,4}".prop_map(String::into_bytes),
            1 => prop::collection::vec(1_u8..=255, 1..5),
            1 => "[xyz]{101,250}".prop_map(String::into_bytes),
        ]
        .boxed()
    };
    let name = name
        .prop_filter("plain names", |name| {
            name != b"." && name != b".." && !name.contains(&b'/') && name.len() <= 255
        })
        .boxed();
    let leaf = prop_oneof![
        4 => (prop::collection::vec(any::<u8>(), 0..1500), 0_u32..0o1000, any::<u32>())
            .prop_map(|(content, mode, mtime)| Node::File(content, mode, mtime)),
        1 => (0_usize..2_000_000).prop_map(|size| Node::File(vec![b'x'; size], 0o644, 1)),
        1 => "[a-z]{1,120}".prop_map(Node::Link),
    ];
    let inner = name.clone();
    let node = leaf.prop_recursive(4, 24, 5, move |below| {
        (
            prop::collection::btree_map(inner.clone(), below, 0..5),
            0_u32..0o100,
            any::<u32>(),
        )
            .prop_map(|(below, mode, mtime)| Node::Directory(below, 0o700 | mode, mtime))
    });
    prop::collection::btree_map(name, node, 0..6)
}

fn stamp(path: &Path, mtime: u32) {
    let at = Timespec {
        tv_sec: i64::from(mtime),
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: at,
        last_modification: at,
    };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

fn to_disk(base: &Path, nodes: &BTreeMap<Vec<u8>, Node>) {
    for (name, node) in nodes {
        let path = base.join(OsStr::from_bytes(name));
        match node {
            Node::File(content, mode, mtime) => {
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
                stamp(&path, *mtime);
            }
            Node::Link(target) => symlink(target, path).unwrap(),
            Node::Directory(below, mode, mtime) => {
                fs::create_dir(&path).unwrap();
                to_disk(&path, below);
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
                stamp(&path, *mtime);
            }
        }
    }
}

/// Path, mode as it is unpacked, time, for everything but the mode of links.
fn attributes(base: &Path, below: &Path, found: &mut Vec<(Vec<u8>, u32, i64)>) {
    for entry in fs::read_dir(base.join(below)).unwrap() {
        let path = below.join(entry.unwrap().file_name());
        let about = fs::symlink_metadata(base.join(&path)).unwrap();
        let mode = if about.is_symlink() {
            0
        } else {
            about.mode() & 0o775
        };
        found.push((path.as_os_str().as_bytes().to_vec(), mode, about.mtime()));
        if about.is_dir() {
            attributes(base, &path, found);
        }
    }
}

fn all_attributes(base: &Path) -> Vec<(Vec<u8>, u32, i64)> {
    let mut found = Vec::new();
    attributes(base, Path::new(""), &mut found);
    found.sort();
    found
}

fn there_and_back(nodes: &BTreeMap<Vec<u8>, Node>, format: Format) {
    let (dir, home) = home();
    let www = dir.path().join("www");
    to_disk(&www, nodes);
    let (bytes, manifest) = packed(&home, format);
    assert_eq!(manifest.left_out, []);
    assert_eq!(Some(&manifest.trees[0].tree.hash), hash(&www).as_ref());

    let checked = match format {
        Format::TarZst => verify(
            &mut bytes.as_slice(),
            &Limits::of(&manifest.totals),
            &Watch::unbounded(),
        ),
        Format::Zip => verify_zip(
            std::io::Cursor::new(&bytes),
            &Limits::default(),
            &Watch::unbounded(),
        ),
    };
    let found = unpacked(&home, &bytes, &UnpackOptions::default()).unwrap();
    assert_eq!(found.checked, checked.unwrap());
    assert_eq!(found.checked.trees, manifest.trees);
    assert_eq!(found.checked.totals, manifest.totals);
    let out = staged(&home, &found).join("files");
    assert_eq!(hash(&out), hash(&www));
    assert_eq!(all_attributes(&out), all_attributes(&www));
    drop_unpacked(&home, EPOCH, &found.staged, &Watch::unbounded()).unwrap();
    assert_eq!(staged_names(&home), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_tar_gives_back_what_it_got(nodes in nodes(false)) {
        there_and_back(&nodes, Format::TarZst);
    }

    #[test]
    fn a_zip_gives_back_what_it_got(nodes in nodes(true)) {
        there_and_back(&nodes, Format::Zip);
    }
}

/// One of each, so that damage hits all there is.
fn sample(format: Format) -> Vec<u8> {
    let (dir, home) = home();
    let www = dir.path().join("www");
    fs::create_dir_all(www.join("a/empty")).unwrap();
    fs::write(www.join("a/b.php"), "<?php echo 1;".repeat(50)).unwrap();
    fs::write(www.join(format!("a/{}", "long".repeat(50))), "x").unwrap();
    symlink("b.php", www.join("a/link")).unwrap();
    let mut out = Vec::new();
    let watch = Watch::unbounded();
    let mut packer = Packer::new(&home, &PackerOptions::new(format), &mut out, &watch).unwrap();
    packer
        .add_stream("database.sql", &mut b"CREATE TABLE".as_slice())
        .unwrap();
    packer.add_tree("files", &TreeOptions::new("www")).unwrap();
    packer.finish().unwrap();
    out
}

fn survives(home: &Home, bytes: &[u8]) {
    let before = outside(home);
    if let Ok(found) = unpacked(home, bytes, &UnpackOptions::default()) {
        assert!(found.checked.has_manifest);
        drop_unpacked(home, EPOCH, &found.staged, &Watch::unbounded()).unwrap();
    }
    let loose = UnpackOptions {
        require_manifest: false,
        ..UnpackOptions::default()
    };
    if let Ok(found) = unpacked(home, bytes, &loose) {
        drop_unpacked(home, EPOCH, &found.staged, &Watch::unbounded()).unwrap();
    }
    assert_eq!(staged_names(home), [""; 0]);
    assert_eq!(outside(home), before);
}

type Edits = Vec<(prop::sample::Index, u8)>;

fn edit(bytes: &mut Vec<u8>, edits: &Edits, cut: Option<prop::sample::Index>) {
    for (at, value) in edits {
        let at = at.index(bytes.len());
        bytes[at] = *value;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
}

fn edits() -> impl Strategy<Value = Edits> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
}

/// Header fields of the tar itself, checksums mended: the damage that zstd's own
/// checksum would catch.
fn mend(tar: &mut [u8]) {
    let mut at = 0;
    while at + 512 <= tar.len() {
        let header = &mut tar[at..at + 512];
        if header.iter().all(|byte| *byte == 0) {
            return;
        }
        let mut copy = tar::Header::from_byte_slice(header).clone();
        copy.set_cksum();
        header.copy_from_slice(copy.as_bytes());
        let size = copy.entry_size().unwrap_or(0).min(tar.len() as u64);
        at += 512 + usize::try_from(size).unwrap().next_multiple_of(512);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn damaged_archives_harm_nothing(edits in edits(), cut in any::<Option<prop::sample::Index>>()) {
        let (_dir, home) = home();
        for format in [Format::TarZst, Format::Zip] {
            let mut bytes = SAMPLES.with(|samples| samples[usize::from(format == Format::Zip)].clone());
            edit(&mut bytes, &edits, cut);
            survives(&home, &bytes);
        }
        let mut tar = SAMPLES.with(|samples| samples[2].clone());
        edit(&mut tar, &edits, cut);
        mend(&mut tar);
        survives(&home, &zstd::encode_all(tar.as_slice(), 1).unwrap());
    }

    #[test]
    fn noise_is_no_archive(noise in prop::collection::vec(any::<u8>(), 0..2000)) {
        let (_dir, home) = home();
        survives(&home, &noise);
        survives(&home, &[b"PK\x03\x04", noise.as_slice()].concat());
        survives(&home, &zstd::encode_all(noise.as_slice(), 1).unwrap());
    }
}

thread_local! {
    static SAMPLES: [Vec<u8>; 3] = {
        let tar = sample(Format::TarZst);
        let plain = zstd::decode_all(tar.as_slice()).unwrap();
        [tar, sample(Format::Zip), plain]
    };
}
