//! What all tests of archives use.

use super::*;
use crate::{Home, Result, Watch, fence, tree};
use pressroom_base::Epoch;
use std::{fs, path::Path};

mod exchanges;
mod forged;
mod hostile;
mod packing;
mod real;
mod round_trip;

const EPOCH: Epoch = Epoch::new(10);

/// A home whose fence is taken, with an empty `www`.
fn home() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    fence::take(&home, EPOCH, &Watch::unbounded()).unwrap();
    fs::create_dir(dir.path().join("www")).unwrap();
    (dir, home)
}

fn options(format: Format) -> PackOptions {
    PackOptions {
        packer: PackerOptions::new(format),
        prefix: "files".to_owned(),
        tree: TreeOptions::new("www"),
    }
}

fn packed(home: &Home, format: Format) -> (Vec<u8>, Manifest) {
    let mut out = Vec::new();
    let manifest = pack(home, &options(format), &mut out, &Watch::unbounded()).unwrap();
    (out, manifest)
}

fn unpacked(home: &Home, mut bytes: &[u8], options: &UnpackOptions) -> Result<Unpacked> {
    unpack(home, EPOCH, &mut bytes, options, &Watch::unbounded())
}

fn staged(home: &Home, unpacked: &Unpacked) -> std::path::PathBuf {
    home.path()
        .join(".pressroom/staging")
        .join(&unpacked.staged)
}

fn hash(path: &Path) -> Option<String> {
    let found = tree::hash_dir(path, &Watch::unbounded()).unwrap();
    found.map(|tree| tree.hash)
}

/// Everything of a home but `.pressroom`, to see that it was not touched.
fn outside(home: &Home) -> Vec<(String, Option<String>)> {
    let mut found: Vec<_> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != ".pressroom")
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let content = if entry.file_type().unwrap().is_dir() {
                hash(&entry.path())
            } else {
                Some(name.clone())
            };
            (name, content)
        })
        .collect();
    found.sort();
    found
}

/// Runs a test again as somebody who is not root, to whom rights mean something;
/// true when that was done and nothing is left to do.
fn again_without_root(name: &str) -> bool {
    use std::os::unix::process::CommandExt;
    if !rustix::process::geteuid().is_root() {
        return false;
    }
    let place = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(place.path(), Some(65534), Some(65534)).unwrap();
    // The test program itself may be where only root gets.
    let program = place.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let output = std::process::Command::new(&program)
        .args(["--exact", &format!("archive::tests::{name}")])
        .env("TMPDIR", place.path())
        .current_dir(place.path())
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    true
}
