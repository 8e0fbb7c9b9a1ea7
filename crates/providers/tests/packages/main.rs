//! Package sources and the cache over them, with zips made on the fly.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod local;
mod online;
mod translations;

use pressroom_providers::packages::Package;
use std::{fs, io::Read};

/// Names in a package, sorted.
pub fn names(package: &Package) -> Vec<String> {
    let mut zip = zip::ZipArchive::new(fs::File::open(&package.path).unwrap()).unwrap();
    let mut names: Vec<String> = (0..zip.len())
        .map(|index| zip.by_index(index).unwrap().name().unwrap().into_owned())
        .collect();
    names.sort();
    names
}

/// A file's text in a package.
pub fn text(package: &Package, name: &str) -> String {
    let mut zip = zip::ZipArchive::new(fs::File::open(&package.path).unwrap()).unwrap();
    let mut text = String::new();
    zip.by_name(name)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// Files in the cache that no package points to: leftovers.
pub fn leftovers(dir: &std::path::Path) -> usize {
    fs::read_dir(dir.join("tmp")).map_or(0, Iterator::count)
}
