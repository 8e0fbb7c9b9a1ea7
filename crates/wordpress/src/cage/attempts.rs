//! What was tried in a clone and kept from happening, a line of JSON each: written by
//! whoever kept it, here or in PHP.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// The file, below the clone's directory.
pub(crate) const FILE: &str = "log/attempts";
/// Nothing is added beyond this many bytes.
const LARGEST: u64 = 1024 * 1024;
/// So many different ones are told.
const MOST: usize = 500;
/// The longest text that is kept of one, in bytes.
const LONGEST: usize = 300;

/// Something that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What sort of thing.
    pub kind: AttemptKind,
    /// Who or what it was to reach: a recipient, an address without its query, a command's
    /// name, a table, a path. Never what was sent.
    pub what: String,
    /// How often.
    pub times: u64,
}

/// The sorts of things that are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptKind {
    /// A mail.
    Mail,
    /// A request over HTTP.
    Http,
    /// Another connection.
    Socket,
    /// A program of the machine.
    Command,
    /// A table that is not the clone's, or a statement that cannot be read.
    Table,
    /// A file outside the clone.
    File,
}

#[derive(Serialize, Deserialize)]
struct Line {
    kind: AttemptKind,
    what: String,
}

/// Writes one down, as far as there is room for it.
pub(crate) fn note(dir: &Path, kind: AttemptKind, what: &str) {
    let mut what = what.to_owned();
    what.truncate(what.floor_char_boundary(LONGEST));
    let Ok(mut line) = serde_json::to_vec(&Line { kind, what }) else {
        return;
    };
    line.push(b'\n');
    let opened = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(dir.join(FILE));
    // It was kept from happening all the same.
    if let Ok(mut file) = opened
        && file.metadata().is_ok_and(|found| found.len() < LARGEST)
    {
        let _ = file.write_all(&line);
    }
}

/// What was tried, each once with how often. What is no line of ours is passed over: code
/// of the clone can write there.
pub(crate) fn read(dir: &Path) -> Result<Vec<Attempt>> {
    let path = dir.join(FILE);
    let mut bytes = Vec::new();
    match File::open(&path) {
        Ok(file) => file
            .take(LARGEST * 2)
            .read_to_end(&mut bytes)
            .map_err(|why| Error::io("read", &path, why))?,
        Err(why) if why.kind() == io::ErrorKind::NotFound => 0,
        Err(why) => return Err(Error::io("open", path, why)),
    };
    Ok(gather(&bytes))
}

fn gather(bytes: &[u8]) -> Vec<Attempt> {
    let mut found: BTreeMap<(AttemptKind, String), u64> = BTreeMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(Line { kind, mut what }) = serde_json::from_slice(line) else {
            continue;
        };
        what.truncate(what.floor_char_boundary(LONGEST));
        if found.len() < MOST || found.contains_key(&(kind, what.clone())) {
            *found.entry((kind, what)).or_default() += 1;
        }
    }
    found
        .into_iter()
        .map(|((kind, what), times)| Attempt { kind, what, times })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_counted_and_nothing_else_is_believed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("log")).unwrap();
        note(dir.path(), AttemptKind::Mail, "a@example.test");
        note(dir.path(), AttemptKind::Mail, "a@example.test");
        note(dir.path(), AttemptKind::Http, &"é".repeat(400));
        let path = dir.path().join(FILE);
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(
            b"{\"kind\":\"else\",\"what\":\"\"}\n\xff\n{}\n{\"kind\":\"file\",\"what\":\"/x\"}",
        )
        .unwrap();
        let found = read(dir.path()).unwrap();
        let told: Vec<_> = found.iter().map(|one| (one.kind, one.times)).collect();
        assert_eq!(
            told,
            [
                (AttemptKind::Mail, 2),
                (AttemptKind::Http, 1),
                (AttemptKind::File, 1)
            ]
        );
        assert_eq!(found[1].what.len(), LONGEST);
        assert!(read(&dir.path().join("none")).unwrap().is_empty());
    }
}
