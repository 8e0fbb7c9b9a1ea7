//! Archives from elsewhere.

use crate::input::target;
use pressroom_base::Epoch;
use pressroom_wordpress::{
    Home, Watch,
    archive::{
        Format, Limits, PackOptions, PackerOptions, TreeOptions, UnpackOptions, drop_unpacked,
        pack, unpack, verify, verify_zip,
    },
    fence,
};
use std::{
    fs,
    io::{Cursor, Write as _},
    os::unix::fs::{MetadataExt, symlink},
    path::Path,
    time::Duration,
};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

const EPOCH: Epoch = Epoch::new(10);
const WORDS: &[&str] = &[
    "../",
    "/",
    "..",
    "files/",
    "a",
    "\0",
    "ustar\0",
    "ustar  \0",
    "PK\x03\x04",
    "PK\x01\x02",
    "PK\x05\x06",
    "0000644\0",
    "00000000012\0",
    "77777777777\0",
    "30 path=../../x\n",
    "12 size=99\n",
    "18 linkpath=/etc/x\n",
    "GNU.sparse.major=1",
    "manifest.json",
    "\u{7f}",
    "\\",
    "C:",
];

fn patient() -> Watch {
    Watch::lasting(Duration::from_mins(1))
}

fn limits() -> Limits {
    Limits {
        entries: 500,
        bytes: 4 << 20,
        entry_bytes: 1 << 20,
        archive_bytes: 1 << 20,
        manifest_bytes: 1 << 20,
        window_log: 20,
        ..Limits::default()
    }
}

/// A home inside a directory of which nothing else may change.
struct Place {
    outer: TempDir,
    home: Home,
}

impl Place {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("home");
        fs::create_dir_all(path.join("www")).unwrap();
        fs::write(path.join("www/index.php"), "live").unwrap();
        fs::write(outer.path().join("neighbour"), "theirs").unwrap();
        let home = Home::open(&path).unwrap();
        fence::take(&home, EPOCH, &patient()).unwrap();
        Self { outer, home }
    }

    /// Unpacks, and looks at what became of everything.
    fn unpack(&self, mut bytes: &[u8]) {
        let options = UnpackOptions {
            limits: limits(),
            require_manifest: false,
            ..UnpackOptions::default()
        };
        let unpacked = unpack(&self.home, EPOCH, &mut bytes, &options, &patient());
        if let Ok(unpacked) = &unpacked {
            let staged = self
                .home
                .path()
                .join(".pressroom/staging")
                .join(&unpacked.staged);
            harmless(&staged, &staged.canonicalize().unwrap());
            drop_unpacked(&self.home, EPOCH, &unpacked.staged, &patient()).unwrap();
        }
        assert_eq!(names(&self.home.path().join(".pressroom/staging")), [""; 0]);
        assert_eq!(names(self.outer.path()), ["home", "neighbour"]);
        assert_eq!(names(&self.home.path().join("www")), ["index.php"]);
        let live = fs::read(self.home.path().join("www/index.php")).unwrap();
        assert_eq!(live, b"live");
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

/// No special files, no special modes, and no way out of the tree.
fn harmless(dir: &Path, top: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let found = path.symlink_metadata().unwrap();
        if found.is_symlink() {
            if let Ok(real) = path.canonicalize() {
                assert!(
                    real.starts_with(top),
                    "{} leads to {}",
                    path.display(),
                    real.display()
                );
            }
            continue;
        }
        assert!(found.is_dir() || found.is_file(), "{}", path.display());
        assert_eq!(found.mode() & 0o7002, 0, "{}", path.display());
        if found.is_dir() {
            harmless(&path, top);
        }
    }
}

fn packed(format: Format) -> Vec<u8> {
    let place = Place::new();
    let www = place.home.path().join("www");
    fs::create_dir_all(www.join("wp-content/empty")).unwrap();
    fs::write(www.join("wp-content/a.txt"), "aaa\n".repeat(40)).unwrap();
    symlink("wp-content/a.txt", www.join("link")).unwrap();
    let options = PackOptions {
        packer: PackerOptions::new(format),
        prefix: "files".to_owned(),
        tree: TreeOptions::new("www"),
    };
    let mut out = Vec::new();
    pack(&place.home, &options, &mut out, &patient()).unwrap();
    out
}

/// A tar with one entry of every kind that there is.
fn varied() -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    let kinds = [
        (EntryType::Regular, "d/a", "", "text"),
        (EntryType::Directory, "d/e/", "", ""),
        (EntryType::Symlink, "d/s", "a", ""),
        (EntryType::Link, "d/h", "d/a", ""),
        (EntryType::XHeader, "x", "", "16 path=d/other\n"),
        (EntryType::Regular, "d/b", "", "other"),
        (EntryType::GNULongName, "././@LongLink", "", "d/long\0"),
        (EntryType::Regular, "d/c", "", "long"),
        (EntryType::XGlobalHeader, "g", "", "13 comment=x\n"),
        (EntryType::Fifo, "d/f", "", ""),
    ];
    for (kind, name, link, content) in kinds {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o4777);
        header.set_mtime(1);
        header.set_size(content.len() as u64);
        let fields = header.as_gnu_mut().unwrap();
        fields.name[..name.len()].copy_from_slice(name.as_bytes());
        fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        tar.append(&header, content.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

fn zipped() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.start_file("files/a.txt", options.unix_permissions(0o6777))
        .unwrap();
    zip.write_all(&b"aaaa".repeat(50)).unwrap();
    zip.add_directory("files/d/", options).unwrap();
    zip.add_symlink("files/s", "a.txt", options).unwrap();
    zip.finish().unwrap().into_inner()
}

/// Sums up the headers again, so that changes in them are read at all.
fn summed(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    for block in tar.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    tar
}

#[test]
fn archive_tar() {
    let ours = zstd::decode_all(packed(Format::TarZst).as_slice()).unwrap();
    let place = Place::new();
    target("archive_tar", &[&ours, &varied()], WORDS, |input| {
        let bytes = zstd::encode_all(summed(input).as_slice(), 1).unwrap();
        let _ = verify(&mut bytes.as_slice(), &limits(), &patient());
        place.unpack(&bytes);
    });
}

#[test]
fn archive_zstd() {
    let ours = packed(Format::TarZst);
    let place = Place::new();
    let skipped = [b"\x50\x2a\x4d\x18\x03\0\0\0abc".as_slice(), &ours].concat();
    target("archive_zstd", &[&ours, &skipped], WORDS, |input| {
        let _ = verify(&mut &*input, &limits(), &patient());
        place.unpack(input);
    });
}

#[test]
fn archive_zip() {
    let (ours, other) = (packed(Format::Zip), zipped());
    let place = Place::new();
    target("archive_zip", &[&ours, &other], WORDS, |input| {
        let _ = verify_zip(Cursor::new(input), &limits(), &patient());
        place.unpack(input);
    });
}
