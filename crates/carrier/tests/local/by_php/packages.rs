//! Zips for these tests.

use super::target;
use pressroom_wordpress::component::{ComponentKind, Target};
use std::{
    fs::File,
    io::{Cursor, Seek, Write},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

pub const PLUGINS: &str = "public_html/wp-content/plugins";

/// A zip that is written entry by entry.
pub struct Zip(ZipWriter<Cursor<Vec<u8>>>);

impl Default for Zip {
    fn default() -> Self {
        Self(ZipWriter::new(Cursor::new(Vec::new())))
    }
}

impl Zip {
    pub fn file(self, name: &str, content: &[u8]) -> Self {
        self.packed(name, content, CompressionMethod::Deflated)
    }

    pub fn stored(self, name: &str, content: &[u8]) -> Self {
        self.packed(name, content, CompressionMethod::Stored)
    }

    fn packed(mut self, name: &str, content: &[u8], how: CompressionMethod) -> Self {
        let options = SimpleFileOptions::default().compression_method(how);
        self.0.start_file(name, options).unwrap();
        self.0.write_all(content).unwrap();
        self
    }

    pub fn large(mut self, name: &str, content: &[u8]) -> Self {
        let options = SimpleFileOptions::default().large_file(true);
        self.0.start_file(name, options).unwrap();
        self.0.write_all(content).unwrap();
        self
    }

    pub fn directory(mut self, name: &str) -> Self {
        let options = SimpleFileOptions::default();
        self.0.add_directory(name, options).unwrap();
        self
    }

    pub fn link(mut self, name: &str, to: &str) -> Self {
        let options = SimpleFileOptions::default();
        self.0.add_symlink(name, to, options).unwrap();
        self
    }

    /// The zip with the last entry marked as encrypted.
    pub fn encrypted(self) -> Vec<u8> {
        let mut zip = self.end();
        for (signature, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
            let last = zip.windows(4).rposition(|at| at == signature).unwrap();
            zip[last + flags] |= 1;
        }
        zip
    }

    pub fn end(self) -> Vec<u8> {
        self.0.finish().unwrap().into_inner()
    }
}

/// A plugin of a directory, or of one file, in a version.
pub fn plugin_source(version: &str) -> Vec<u8> {
    format!("<?php\n/*\nPlugin Name: Hello\nVersion: {version}\n*/\n").into_bytes()
}

pub fn plugin_zip(slug: &str, version: &str) -> Zip {
    let main = if super::plugin(slug).is_file() {
        slug.to_owned()
    } else {
        format!("{slug}/hello.php")
    };
    Zip::default().file(&main, &plugin_source(version))
}

/// What a package of a version holds beside.
pub fn plugin(slug: &str, version: &str) -> Vec<u8> {
    let zip = plugin_zip(slug, version);
    if super::plugin(slug).is_file() {
        return zip.file("readme.TXT", b"text").end();
    }
    zip.file(&format!("{slug}/lib/{version}.php"), b"<?php")
        .end()
}

/// A plugin with two files of so many MB, one of them packed; not in this memory.
pub fn large(slug: &str, mb: usize) -> File {
    let mut zip = ZipWriter::new(tempfile::tempfile().unwrap());
    let files = [
        ("stored", CompressionMethod::Stored),
        ("packed", CompressionMethod::Deflated),
    ];
    let main = format!("{slug}/{slug}.php");
    zip.start_file(main, SimpleFileOptions::default()).unwrap();
    zip.write_all(&plugin_source("1")).unwrap();
    for (name, how) in files {
        let options = SimpleFileOptions::default().compression_method(how);
        zip.start_file(format!("{slug}/{name}"), options).unwrap();
        let some = vec![b'x'; 1 << 20];
        for _ in 0..mb {
            zip.write_all(&some).unwrap();
        }
    }
    let mut file = zip.finish().unwrap();
    file.rewind().unwrap();
    file
}

/// Packages of all forms that are taken.
pub fn good() -> Vec<(Target, Vec<u8>)> {
    let noise: Vec<u8> = (0..700_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0])
        .collect();
    let odd = plugin_zip("odd", "1.2")
        .directory("odd/empty/")
        .directory("odd/full/")
        .file("odd/full/a.php", b"<?php")
        .file("odd/full-not/a.php", b"<?php")
        .file("odd/10", b"ten")
        .file("odd/9", b"")
        .stored("odd/stored.bin", &noise)
        .file("odd/noise.bin", &noise)
        .file("odd/zeros.bin", &vec![0; 9_000_000])
        .large("odd/large.bin", b"large")
        .file("odd/\u{e9}\u{4e2d}.txt", b"name")
        .file("odd/./dotted/./x", b"x")
        .file("__MACOSX/odd/._a", b"x")
        .directory("odd/deep/er/and/deeper/")
        .end();
    let mut behind = b"#!/bin/sh\n# something before it\n".to_vec();
    behind.extend(plugin("behind", "3"));
    let style = b"/*\nTheme Name: Foo\nVersion: 3\n*/";
    let theme = Zip::default()
        .directory("foo/")
        .file("foo/style.css", style);
    let second = Zip::default()
        .file("main/zz.php", &plugin_source("9"))
        .file("main/aa.php", &plugin_source("8"))
        .file("main/.hidden.php", &plugin_source("7"))
        .file("main/main.php", b"<?php // no header");
    vec![
        (plugin_target("odd"), odd),
        (plugin_target("behind"), behind),
        (plugin_target("main"), second.end()),
        (target(ComponentKind::Theme, "foo"), theme.end()),
        (plugin_target("hello.php"), plugin("hello.php", "2")),
        (
            plugin_target("hello.php"),
            Zip::default()
                .file("hello-dolly/hello.php", &plugin_source("1.7"))
                .file("hello-dolly/readme.txt", b"text")
                .end(),
        ),
    ]
}

fn plugin_target(slug: &str) -> Target {
    super::plugin(slug)
}
