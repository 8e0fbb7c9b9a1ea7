//! Which content each file of a package may have.

use crate::{
    Error, Result,
    archive::names::{self, Rules},
    package::layout::{Item, Layout, TopFolder},
    watch::Watch,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fmt,
    io::{Read, Seek},
};

/// The largest list taken; WordPress' own has about 300 kB.
const MAX_JSON: u64 = 64 * 1024 * 1024;
const MAX_FILES: usize = 200_000;
/// Hashes that one file may have; a package that was put out twice has two.
const MAX_SUMS: usize = 64;

/// A hash that a file may have.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Sum {
    /// 32 hex digits.
    Md5([u8; 16]),
    /// 64 hex digits.
    Sha256([u8; 32]),
}

/// The files of a package, by path, and the hashes each may have. As JSON:
/// `{"files": {"wp-load.php": ["…"]}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Never empty for a path.
    pub files: BTreeMap<String, Vec<Sum>>,
}

impl Expected {
    /// Reads a list in any of these shapes: `{"checksums": {path: md5}}` (core),
    /// `{"files": {path: {"md5": …, "sha256": …}}}` (plugins; either may be a list),
    /// and our own.
    pub fn from_json(input: &mut dyn Read) -> Result<Self> {
        let mut bytes = Vec::new();
        input
            .take(MAX_JSON + 1)
            .read_to_end(&mut bytes)
            .map_err(|why| Error::io("receive", "checksums", why))?;
        if bytes.len() as u64 > MAX_JSON {
            return Err(bad("are longer than any list"));
        }
        let document: Value =
            serde_json::from_slice(&bytes).map_err(|why| bad(&format!("are no JSON: {why}")))?;
        let list = document
            .get("checksums")
            .or_else(|| document.get("files"))
            .ok_or_else(|| bad("have neither `checksums` nor `files`"))?;
        let list = list
            .as_object()
            // What is said about an unknown version is `false`.
            .ok_or_else(|| bad("are not known for this version"))?;
        if list.is_empty() || list.len() > MAX_FILES {
            return Err(bad("name no files, or too many"));
        }
        let mut files = BTreeMap::new();
        for (path, value) in list {
            let clean = names::clean(path.as_bytes(), Rules::Zip)?;
            if clean != path.as_bytes() {
                return Err(bad(&format!(
                    "have the path {}",
                    names::shown(path.as_bytes())
                )));
            }
            let mut sums = Vec::new();
            collect(value, 0, &mut sums)?;
            if sums.is_empty() {
                return Err(bad(&format!(
                    "have no hash of {}",
                    names::shown(path.as_bytes())
                )));
            }
            files.insert(path.clone(), sums);
        }
        Ok(Self { files })
    }

    /// Computes the list from a package. `top` is stripped when everything is in
    /// it: `wordpress`, or the component's slug.
    pub fn from_zip<R: Read + Seek>(zip: R, top: &str, watch: &Watch) -> Result<Self> {
        let (layout, mut archive) = Layout::read(zip, TopFolder::Maybe(top))?;
        let mut budget = layout.budget();
        let mut files = BTreeMap::new();
        for (path, item) in &layout.items {
            let (Item::File(index) | Item::Link(index)) = item else {
                continue;
            };
            let mut hash = Sha256::new();
            layout.copy(&mut archive, *index, path, &mut budget, watch, |part| {
                hash.update(part);
                Ok(())
            })?;
            let path = String::from_utf8(path.clone())
                .map_err(|_| bad("are of a package with a name that is not UTF-8"))?;
            files.insert(path, vec![Sum::Sha256(hash.finalize().into())]);
        }
        Ok(Self { files })
    }
}

/// The list of a package that is at hand; see [`Expected::from_zip`].
pub fn expected_from_zip<R: Read + Seek>(zip: R, top: &str, watch: &Watch) -> Result<Expected> {
    Expected::from_zip(zip, top, watch)
}

/// The hashes in a value: a text, a list of them, or an object of those by the
/// names of the algorithms.
fn collect(value: &Value, depth: usize, sums: &mut Vec<Sum>) -> Result<()> {
    match value {
        Value::String(text) if sums.len() < MAX_SUMS => {
            let sum = Sum::try_from(text.clone())
                .map_err(|_| bad(&format!("have {} as a hash", names::shown(text.as_bytes()))))?;
            sums.push(sum);
            Ok(())
        }
        Value::Array(many) if depth < 2 => many
            .iter()
            .try_for_each(|one| collect(one, depth + 1, sums)),
        Value::Object(by_name) if depth == 0 => ["md5", "sha256"]
            .iter()
            .filter_map(|name| by_name.get(*name))
            .try_for_each(|one| collect(one, depth + 1, sums)),
        _ => Err(bad("have something else than a hash")),
    }
}

fn bad(why: &str) -> Error {
    Error::BadInput(format!("checksums {why}"))
}

impl TryFrom<String> for Sum {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        const NONE: &str = "neither an MD5 nor a SHA-256 in hex";
        let bytes = hex::decode(text).map_err(|_| NONE)?;
        bytes
            .as_slice()
            .try_into()
            .map(Self::Md5)
            .or_else(|_| bytes.as_slice().try_into().map(Self::Sha256))
            .map_err(|_| NONE)
    }
}

impl From<Sum> for String {
    fn from(sum: Sum) -> Self {
        match sum {
            Sum::Md5(bytes) => hex::encode(bytes),
            Sum::Sha256(bytes) => hex::encode(bytes),
        }
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&String::from(*self))
    }
}
