//! What the site remembers of a restore, written before its first effect.

use crate::{Error, Result, database::dump::Program, disk, home::Home};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const DIRECTORY: &str = "restores";
const END: &str = ".json";
/// Far more than the names and programs of a site.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A restore at work, or one whose old tables are still kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::database) struct Record {
    pub epoch: Epoch,
    /// What the names of its tables start with; also the record's name.
    pub stem: String,
    pub state: State,
    /// Everything that changes its name.
    pub moves: Vec<Move>,
    /// Triggers of the tables that are put aside; a trigger's name is taken in the
    /// whole database.
    pub triggers: Vec<Program>,
    /// Routines and events as they were before ones of the same name came.
    pub programs: Vec<Program>,
    /// Those that come: kind in SQL, and name.
    pub made: Vec<(String, String)>,
    /// Foreign keys of the tables put aside, and of others that refer to them.
    pub foreign_keys: Vec<ForeignKey>,
    /// The restore point that was taken back by this exchange, and that what it put aside
    /// is dropped with.
    #[serde(default)]
    pub point: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::database) enum State {
    /// Tables are filled under working names; the site's are untouched.
    Loading,
    /// The exchange is under way, or was interrupted.
    Exchanging,
    /// It was taken back as far as the old tables have their names again; what
    /// remains is to drop the new ones and to mend what hangs on the old.
    Undone,
    /// The new tables are in place and verified.
    Done,
    /// The old tables are being dropped: there is no way back.
    Dropping,
}

/// One name: what comes there, and where what was there goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::database) struct Move {
    pub name: String,
    /// The working name of what comes; `None` where nothing comes by renaming.
    pub new: Option<String>,
    /// The name aside of what was there; `None` where nothing was.
    pub old: Option<String>,
    /// A view comes here, by a statement.
    pub view: bool,
    /// What was there is a view.
    pub old_view: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::database) struct ForeignKey {
    pub table: String,
    pub name: String,
    /// What follows `ALTER TABLE name`.
    #[serde(with = "hex::serde")]
    pub definition: Vec<u8>,
    /// The table itself stays; it refers to one that moves.
    pub outside: bool,
}

impl Record {
    pub fn new(epoch: Epoch, stem: &str) -> Self {
        Self {
            epoch,
            stem: stem.to_owned(),
            state: State::Loading,
            moves: Vec::new(),
            triggers: Vec::new(),
            programs: Vec::new(),
            made: Vec::new(),
            foreign_keys: Vec::new(),
            point: None,
        }
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

    /// Reads one; `None` when it was settled.
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

/// The stem travels through callers: it must stay a plain name.
fn file(stem: &str) -> Result<String> {
    if stem.is_empty() || !stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Error::BadInput(format!("`{stem}` names no restore")));
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
