//! Archives of ours with a difference, and those that are not ours.

use super::{
    hostile::{Tar, header, loose, refused},
    *,
};
use tar::{EntryType, Header};

/// Takes an archive of ours apart and puts it together with a difference.
fn forged(change: impl Fn(&mut Vec<(Header, Vec<u8>)>)) -> Vec<u8> {
    let (dir, home) = home();
    fs::write(dir.path().join("www/a.php"), "aaa").unwrap();
    fs::write(dir.path().join("www/b.php"), "bbb").unwrap();
    let (bytes, _) = packed(&home, Format::TarZst);
    let plain = zstd::decode_all(bytes.as_slice()).unwrap();
    let mut archive = tar::Archive::new(plain.as_slice());
    let mut entries: Vec<(Header, Vec<u8>)> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            (entry.header().clone(), content)
        })
        .collect();
    change(&mut entries);
    let mut tar = Tar::default();
    for (mut header, content) in entries {
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar = tar.raw(&header, &content);
    }
    tar.end()
}

#[test]
fn archives_that_are_not_what_their_manifest_says() {
    let strict = UnpackOptions::default();
    let text = |content: &[u8]| String::from_utf8(content.to_vec()).unwrap();
    refused(
        &forged(|all| all[1].1 = b"AAA".to_vec()),
        &strict,
        "1 changed (`files/a.php`)",
    );
    refused(
        &forged(|all| drop(all.remove(2))),
        &strict,
        "1 missing (`files/b.php`)",
    );
    refused(
        &forged(|all| {
            let (mut header, content) = all[1].clone();
            header.set_path("files/c.php").unwrap();
            all.insert(2, (header, content));
        }),
        &strict,
        "1 unexpected (`files/c.php`)",
    );
    refused(
        &forged(|all| {
            let (mut header, content) = all[1].clone();
            header.set_path("files/c.php").unwrap();
            all.push((header, content));
        }),
        &strict,
        "follows the manifest",
    );
    refused(
        &forged(|all| {
            let last = all.len() - 1;
            all[last].1 = text(&all[last].1)
                .replace("\"version\":1", "\"version\":2")
                .into();
        }),
        &strict,
        "format version 2",
    );
    refused(
        &forged(|all| {
            let last = all.len() - 1;
            let said = text(&all[last].1);
            let at = said.find("\"hash\":\"").unwrap() + 8;
            let mut said = said.into_bytes();
            said[at] = if said[at] == b'0' { b'1' } else { b'0' };
            all[last].1 = said;
        }),
        &strict,
        "has another hash",
    );
    refused(
        &forged(|all| {
            let last = all.len() - 1;
            all[last].1 = text(&all[last].1)
                .replace("\"files\":2,\"dir", "\"files\":3,\"dir")
                .into();
        }),
        &strict,
        "sums differ",
    );
    refused(
        &forged(|all| {
            let last = all.len() - 1;
            all[last].1.truncate(100);
        }),
        &strict,
        "manifest is damaged",
    );
    refused(&forged(|all| drop(all.pop())), &strict, "no manifest");
    let (_dir, home) = home();
    unpacked(&home, &forged(|_| ()), &strict).unwrap();
    let found = unpacked(&home, &forged(|all| drop(all.pop())), &loose()).unwrap();
    assert!(!found.checked.has_manifest);
}

#[test]
fn a_file_that_is_only_called_like_a_manifest_is_a_file() {
    let (_dir, home) = home();
    let tar = Tar::default()
        .file("manifest.json", br#"{"name":"A shop","icons":[]}"#)
        .file("index.php", b"<?php")
        .end();
    refused(&tar, &UnpackOptions::default(), "no manifest");
    let found = unpacked(&home, &tar, &loose()).unwrap();
    assert!(!found.checked.has_manifest);
    assert_eq!(found.checked.totals.files, 2);
    assert!(staged(&home, &found).join("manifest.json").exists());
}

#[test]
fn rights_are_cleaned() {
    use std::os::unix::fs::MetadataExt;
    let (_dir, home) = home();
    let mut special = header(EntryType::Regular, b"d/x", b"", 1);
    special.set_mode(0o6777);
    special.set_uid(12345);
    special.set_gid(12345);
    special.set_cksum();
    let mut directory = header(EntryType::Directory, b"d/", b"", 0);
    directory.set_mode(0o1002);
    directory.set_cksum();
    let tar = Tar::default()
        .raw(&special, b"x")
        .raw(&directory, b"")
        .end();
    let found = unpacked(&home, &tar, &loose()).unwrap();
    let dir = staged(&home, &found);
    let file = fs::metadata(dir.join("d/x")).unwrap();
    let ours = fs::metadata(home.path().join("www")).unwrap();
    assert_eq!(file.mode() & 0o7777, 0o775);
    assert_eq!((file.uid(), file.gid()), (ours.uid(), ours.gid()));
    assert_eq!(fs::metadata(dir.join("d")).unwrap().mode() & 0o7777, 0o700);
}
