//! What the site remembers of a restore point, written before its first effect.

use crate::{Error, Result, database::dump::Program, disk, home::Home};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::options::NotKept;

const DIRECTORY: &str = "points";
const END: &str = ".json";
/// Far more than the tables of a network.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A restore point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub epoch: Epoch,
    /// What the names of its tables start with; also its handle.
    pub stem: String,
    pub state: State,
    /// The tables as they were.
    pub before: Vec<Image>,
    /// Those that an update changed or made, as it left them.
    pub after: Vec<Image>,
    /// Tables that were gone when it was sealed.
    pub gone: Vec<String>,
    /// Views as they were: name, and the statement that makes them.
    pub views: Vec<(String, String)>,
    /// Names that are left out, as they were asked for: what comes under one later is
    /// none of the point's either.
    pub leave_out: Vec<String>,
    /// What is not kept.
    pub left_out: Vec<NotKept>,
    /// It was sealed only when it was taken back.
    pub late: bool,
    /// Others may have written before it was.
    pub open: bool,
    /// Tables of its own that something works with.
    pub work: Vec<String>,
    /// Copies of tables, from before they were exchanged, whose last rows may still have
    /// to be brought over: name of the table, and of the copy.
    pub replay: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Copies are made; the point is none yet.
    Taking,
    /// All is kept as it was.
    Taken,
    /// What the update left is being copied.
    Sealing,
    /// Both sides are known.
    Sealed,
    /// It is being dropped: there is no way back.
    Dropping,
}

/// A table at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Image {
    pub name: String,
    /// The table that holds its rows.
    pub copy: String,
    pub rows: u64,
    /// As in [`crate::database::TableChecksum`]; empty while it is copied.
    pub content: String,
    pub structure: String,
    /// What `SHOW CREATE TABLE` said.
    #[serde(with = "hex::serde")]
    pub create: Vec<u8>,
    pub triggers: Vec<Program>,
    pub transactional: bool,
    /// The copy was made for an earlier point.
    pub reused: bool,
}

impl Image {
    /// Whether it is the same table as far as its definition goes.
    pub fn is_built_as(&self, other: &Self) -> bool {
        self.structure == other.structure && self.triggers == other.triggers
    }

    /// Whether nothing differs.
    pub fn is_same(&self, other: &Self) -> bool {
        self.content == other.content && self.is_built_as(other)
    }
}

impl Record {
    pub fn new(epoch: Epoch, stem: &str) -> Self {
        Self {
            epoch,
            stem: stem.to_owned(),
            state: State::Taking,
            before: Vec::new(),
            after: Vec::new(),
            gone: Vec::new(),
            views: Vec::new(),
            leave_out: Vec::new(),
            left_out: Vec::new(),
            late: false,
            open: false,
            work: Vec::new(),
            replay: Vec::new(),
        }
    }

    /// All tables that it holds, its own and those it shares.
    pub fn copies(&self) -> BTreeSet<String> {
        let images = self.before.iter().chain(&self.after);
        let names = images.map(|image| image.copy.clone());
        names
            .chain(self.work.iter().cloned())
            .chain(self.replay.iter().map(|(_, copy)| copy.clone()))
            .collect()
    }

    /// Writes it, synced. Call it inside the fence.
    pub fn save(&self, home: &Home) -> Result<()> {
        let path = home.state_subdir(DIRECTORY)?.join(file(&self.stem)?);
        disk::write_json(&path, self)
    }

    /// Forgets it. Call it inside the fence.
    pub fn remove(&self, home: &Home) -> Result<()> {
        disk::remove_file(&home.state_path(DIRECTORY).join(file(&self.stem)?))
    }

    /// Reads one; `None` when it was dropped.
    pub fn load(home: &Home, stem: &str) -> Result<Option<Self>> {
        read(&home.state_path(DIRECTORY).join(file(stem)?))
    }

    /// All of them, oldest epoch first.
    pub fn list(home: &Home) -> Result<Vec<Self>> {
        let dir = home.state_path(DIRECTORY);
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(why) => return Err(Error::io("list", &dir, why)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(|why| Error::io("list", &dir, why))?.path();
            if path.extension().is_some_and(|end| end == "json") {
                found.extend(read(&path)?);
            }
        }
        found.sort_by_key(|record| (record.epoch.get(), record.stem.clone()));
        Ok(found)
    }
}

/// The handle travels through callers: it must stay a plain name.
fn file(stem: &str) -> Result<String> {
    if stem.is_empty() || !stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Error::BadInput(format!("`{stem}` names no restore point")));
    }
    Ok(format!("{stem}{END}"))
}

fn read(path: &Path) -> Result<Option<Record>> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::io("look at", path, why)),
    };
    if found.len() > LARGEST {
        return Err(bad(path, "too large"));
    }
    let bytes = fs::read(path).map_err(|why| Error::io("read", PathBuf::from(path), why))?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|why| bad(path, &why.to_string()))
}

fn bad(path: &Path, why: &str) -> Error {
    Error::BadInput(format!("record `{}` cannot be read: {why}", path.display()))
}
