use super::sample::{EPOCH, home, spooled, staged_names, zip_of};
use super::*;
use crate::{package::layout::TopFolder, tree};
use std::io::Cursor;

fn try_unpack(bytes: &[u8], top: TopFolder<'_>) -> (Result<TreeHash>, bool) {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("out");
    let watch = Watch::unbounded();
    let result = Layout::read(Cursor::new(bytes), top)
        .and_then(|(layout, mut archive)| unpack(&layout, &mut archive, &dest, &watch));
    if let Ok(unpacked) = &result {
        let on_disk = tree::hash_dir(&dest, &watch).unwrap();
        assert_eq!(on_disk.as_ref(), Some(unpacked));
    }
    (result, dest.exists())
}

fn refused(bytes: &[u8], top: TopFolder<'_>, word: &str) {
    let (result, left) = try_unpack(bytes, top);
    match result {
        Err(Error::BadInput(message)) => assert!(message.contains(word), "{message}"),
        other => panic!("{other:?}"),
    }
    assert!(!left, "something was left after a refusal");
}

#[test]
fn names_that_leave_are_refused() {
    for (name, word) in [
        ("../x", "climbs"),
        ("a/../../x", "climbs"),
        ("a/..", "climbs"),
        ("/etc/x", "absolute"),
        ("C:/x", "absolute"),
        ("a\\..\\x", "backslash"),
        ("a\0b", "NUL"),
    ] {
        refused(&zip_of(&[(name, b"x")]), TopFolder::None, word);
    }
}

#[test]
fn links_duplicates_and_mixtures_are_refused() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("a", "/etc/passwd", zip::write::SimpleFileOptions::default())
        .unwrap();
    refused(
        &zip.finish().unwrap().into_inner(),
        TopFolder::None,
        "symbolic link",
    );
    refused(
        &zip_of(&[("a", b"1"), ("./a", b"2")]),
        TopFolder::None,
        "twice",
    );
    refused(
        &zip_of(&[("a", b"1"), ("a/b", b"2")]),
        TopFolder::None,
        "both as a file and as a folder",
    );
    refused(b"no zip at all", TopFolder::None, "not a zip");
    refused(b"", TopFolder::None, "not a zip");
    let (result, _) = try_unpack(&zip_of(&[("a", b"1"), ("A", b"2")]), TopFolder::None);
    assert_eq!(result.unwrap().files, 2);
}

#[test]
fn a_bomb_is_refused() {
    let zeros = vec![0; 30 * 1024 * 1024];
    refused(
        &zip_of(&[("a", &zeros)]),
        TopFolder::None,
        "unpacks to more than",
    );
}

#[test]
fn damaged_content_is_refused() {
    // Something that does not compress.
    let content: Vec<u8> = (0..2_000_u32)
        .flat_map(|n| Sha256::digest(n.to_be_bytes()))
        .collect();
    let mut bytes = zip_of(&[("a", &content)]);
    bytes[20_000] ^= 0xff;
    refused(&bytes, TopFolder::None, "damaged");
    let cut = bytes.len() / 2;
    refused(&bytes[..cut], TopFolder::None, "not a zip");
}

#[test]
fn the_top_folder_is_stripped_or_told() {
    let zip = zip_of(&[("foo/", b""), ("foo/a", b"1"), ("__MACOSX/foo/._a", b"x")]);
    let (result, _) = try_unpack(&zip, TopFolder::Exactly("foo"));
    let (plain, _) = try_unpack(&zip_of(&[("a", b"1")]), TopFolder::None);
    assert_eq!(result.unwrap(), plain.unwrap());
    refused(
        &zip,
        TopFolder::Exactly("bar"),
        "has the folder `foo`, expected `bar`",
    );
    refused(
        &zip_of(&[("a", b"1"), ("foo/b", b"1")]),
        TopFolder::Exactly("foo"),
        "no single top folder",
    );
    refused(&zip_of(&[]), TopFolder::Exactly("foo"), "empty");
    let (kept, _) = try_unpack(&zip, TopFolder::Maybe("bar"));
    assert_eq!(kept.unwrap().files, 1);
}

#[test]
fn unpacked_files_have_plain_modes() {
    let (_dir, home) = home();
    let dest = home.path().join("out");
    let zip = zip_of(&[("d/e/f", b"1")]);
    let (layout, mut archive) = Layout::read(Cursor::new(zip), TopFolder::None).unwrap();
    unpack(&layout, &mut archive, &dest, &Watch::unbounded()).unwrap();
    let mode = |path: &str| fs::metadata(dest.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(
        (mode(""), mode("d/e"), mode("d/e/f")),
        (0o755, 0o755, 0o644)
    );
}

#[test]
fn a_spool_leaves_no_name_behind() {
    let (_dir, home) = home();
    let spool = spooled(&home, b"0123456789");
    assert_eq!(spool.bytes(), 10);
    assert_eq!(staged_names(&home), [""; 0]);
    let gone = Watch::unbounded();
    gone.cancel();
    assert!(matches!(
        super::spool(&home, EPOCH, b"x".as_slice(), &gone),
        Err(Error::Cancelled)
    ));
}

#[test]
fn a_full_disk_is_told_apart() {
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
        assert!(matches!(
            Error::io("write", "x", kind.into()),
            Error::NoSpace { .. }
        ));
    }
}
