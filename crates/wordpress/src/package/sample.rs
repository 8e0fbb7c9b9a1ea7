//! Zips and homes for the tests of this crate.

use super::{Spool, spool};
use crate::{fence, home::Home, watch::Watch};
use pressroom_base::Epoch;
use std::io::{Cursor, Write};
use zip::{ZipWriter, write::SimpleFileOptions};

pub(crate) const EPOCH: Epoch = Epoch::new(10);

/// A home whose fence is taken.
pub(crate) fn home() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    fence::take(&home, EPOCH, &Watch::unbounded()).unwrap();
    (dir, home)
}

/// A zip of files; a name that ends in `/` is a directory.
pub(crate) fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        if name.ends_with('/') {
            zip.add_directory(*name, SimpleFileOptions::default())
                .unwrap();
        } else {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

pub(crate) fn spooled(home: &Home, bytes: &[u8]) -> Spool {
    spool(home, EPOCH, bytes, &Watch::unbounded()).unwrap()
}

/// What is in the staging directory.
pub(crate) fn staged_names(home: &Home) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(home.state_subdir("staging").unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
