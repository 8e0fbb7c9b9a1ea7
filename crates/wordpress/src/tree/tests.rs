use super::*;
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Write},
    os::unix::fs::symlink,
};

#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>),
    Link(String),
    Directory(BTreeMap<String, Node>),
}

fn nodes() -> impl Strategy<Value = BTreeMap<String, Node>> {
    let name = "[a-c.0-]{1,3}".prop_filter("plain names", |name| name != "." && name != "..");
    let leaf = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Node::File),
        1 => "[a-z/.]{1,12}".prop_map(Node::Link),
        1 => Just(Node::Directory(BTreeMap::new())),
    ];
    let node = leaf.prop_recursive(4, 30, 5, move |inner| {
        prop::collection::btree_map("[a-c0-]{1,3}", inner, 0..5).prop_map(Node::Directory)
    });
    prop::collection::btree_map(name, node, 0..6)
}

fn to_disk(base: &Path, nodes: &BTreeMap<String, Node>) {
    for (name, node) in nodes {
        let path = base.join(name);
        match node {
            Node::File(content) => fs::write(path, content).unwrap(),
            Node::Link(target) => symlink(target, path).unwrap(),
            Node::Directory(below) => {
                fs::create_dir(&path).unwrap();
                to_disk(&path, below);
            }
        }
    }
}

fn to_zip(
    zip: &mut zip::ZipWriter<Cursor<Vec<u8>>>,
    prefix: &str,
    nodes: &BTreeMap<String, Node>,
    all_dirs: bool,
) {
    let options = zip::write::SimpleFileOptions::default();
    // Backwards: the order inside a zip must not matter.
    for (name, node) in nodes.iter().rev() {
        let path = format!("{prefix}{name}");
        match node {
            Node::File(content) => {
                zip.start_file(path, options).unwrap();
                zip.write_all(content).unwrap();
            }
            Node::Link(target) => {
                zip.add_symlink(path, target.as_str(), options).unwrap();
            }
            Node::Directory(below) => {
                if all_dirs || below.is_empty() {
                    zip.add_directory(format!("{path}/"), options).unwrap();
                }
                to_zip(zip, &format!("{path}/"), below, all_dirs);
            }
        }
    }
}

fn hash(path: &Path) -> TreeHash {
    hash_dir(path, &Watch::unbounded()).unwrap().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn a_zip_hashes_like_the_tree(nodes in nodes(), all_dirs in any::<bool>(), top in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        to_disk(dir.path(), &nodes);
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        to_zip(&mut zip, if top { "the-top/" } else { "" }, &nodes, all_dirs);
        let bytes = zip.finish().unwrap().into_inner();
        let zipped = hash_zip(Cursor::new(bytes), Some("the-top"), &Watch::unbounded()).unwrap();
        prop_assert_eq!(zipped, hash(dir.path()));
    }
}

#[test]
fn the_encoding_is_the_documented_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/empty")).unwrap();
    fs::write(dir.path().join("a.txt"), "hi").unwrap();
    symlink("x", dir.path().join("a/l")).unwrap();
    let mut expected = Sha256::new();
    expected.update(b"pressroom-tree-1\n");
    expected.update(b"f\0\0\0\x05a.txt");
    expected.update(Sha256::digest(b"hi"));
    expected.update(b"d\0\0\0\x08a/empty/");
    expected.update(b"l\0\0\0\x03a/l");
    expected.update(Sha256::digest(b"x"));
    assert_eq!(
        hash(dir.path()),
        TreeHash {
            hash: hex::encode(expected.finalize()),
            files: 1,
            bytes: 2
        }
    );
}

#[test]
fn links_are_text_and_lead_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    let tree = dir.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(&secret, "one").unwrap();
    symlink(&secret, tree.join("file")).unwrap();
    symlink(dir.path(), tree.join("loop")).unwrap();
    symlink("/etc/passwd", tree.join("passwd")).unwrap();
    let before = hash(&tree);
    assert_eq!((before.files, before.bytes), (0, 0));
    fs::write(&secret, "another").unwrap();
    assert_eq!(hash(&tree), before);
    // A link in place of the tree itself is no tree.
    symlink(&tree, dir.path().join("link")).unwrap();
    assert!(hash_dir(&dir.path().join("link"), &Watch::unbounded()).is_err());
}

#[test]
fn special_files_are_named_and_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let empty = hash(dir.path());
    let pipe = dir.path().join("x");
    rustix::fs::mkfifoat(CWD, &pipe, Mode::from_raw_mode(0o600)).unwrap();
    let with_pipe = hash(dir.path());
    fs::remove_file(&pipe).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&pipe).unwrap();
    let with_socket = hash(dir.path());
    assert!(empty != with_pipe && with_pipe != with_socket && empty != with_socket);
    assert_eq!(
        hash_dir(&dir.path().join("none"), &Watch::unbounded()).unwrap(),
        None
    );
}

#[test]
fn gives_up_when_told_to() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a"), "x").unwrap();
    let watch = Watch::unbounded();
    watch.cancel();
    assert!(matches!(
        hash_dir(dir.path(), &watch),
        Err(Error::Cancelled)
    ));
}
