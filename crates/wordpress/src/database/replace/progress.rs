//! What an interrupted run needs to go on, where doing a row twice would be wrong.
//!
//! Most pairs settle: a row that was done holds no search text any more, and a run that
//! was killed is simply repeated. Pairs such as `old.test` → `old.test/blog` do not.
//! For those each range of keys has a file in the site's private directory that says how far
//! it is and, before each transaction, what its rows will hold. Who goes on looks at
//! those rows: one that holds the new text by its hash is done.

use super::{
    options::{ColumnReport, ReplaceOptions},
    table::{Key, Range},
};
use crate::{Error, Result, disk, fence, home::Home, watch::Watch};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fs, io, path::PathBuf};

/// How far a range is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Everything up to this key is done.
    pub(super) after: Option<Key>,
    /// Nothing is left to do.
    pub(super) done: bool,
    /// Figures up to `after`.
    pub(super) figures: Figures,
    /// Rows behind `after` that may have been written.
    pub(super) intents: Vec<Intent>,
}

/// What was counted in a range.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Figures {
    pub(super) rows: u64,
    pub(super) columns: Vec<ColumnReport>,
}

/// A row that is about to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) key: Key,
    pub(super) values: Vec<IntendedValue>,
}

/// A value that is about to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IntendedValue {
    /// The column's name.
    pub(super) column: String,
    /// [`hash`] of the new value.
    pub(super) hash: String,
    pub(super) replaced: u64,
    pub(super) left: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    run: String,
    digest: String,
    ranges: Vec<Range>,
}

/// The files of one run.
#[derive(Debug)]
pub(super) struct Journal<'a> {
    home: &'a Home,
    epoch: Epoch,
    watch: &'a Watch,
}

const DIRECTORY: &str = "replace";
const HEAD: &str = "run.json";
/// More than any head or state.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// SHA-256 in hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl<'a> Journal<'a> {
    pub(super) fn new(home: &'a Home, epoch: Epoch, watch: &'a Watch) -> Self {
        Self { home, epoch, watch }
    }

    /// The ranges of this run if it was begun before. What another run left is removed.
    pub(super) fn begun(&self, options: &ReplaceOptions) -> Result<Option<Vec<Range>>> {
        let Some(head) = self.read::<Head>(HEAD)? else {
            return Ok(None);
        };
        if head.run != options.run {
            self.end()?;
            return Ok(None);
        }
        if head.digest != digest(options)? {
            return Err(Error::BadInput(format!(
                "run `{}` was begun with other options",
                options.run
            )));
        }
        Ok(Some(head.ranges))
    }

    /// Begins a run, or adds ranges to one.
    pub(super) fn begin(&self, options: &ReplaceOptions, ranges: &[Range]) -> Result<()> {
        self.home.state_subdir(DIRECTORY)?;
        let head = Head {
            run: options.run.clone(),
            digest: digest(options)?,
            ranges: ranges.to_vec(),
        };
        self.write(HEAD, &head)
    }

    /// How far a range is.
    pub(super) fn state(&self, range: usize) -> Result<State> {
        Ok(self.read(&file(range))?.unwrap_or_default())
    }

    /// Remembers how far a range is.
    pub(super) fn remember(&self, range: usize, state: &State) -> Result<()> {
        self.write(&file(range), state)
    }

    /// Forgets the run, the head first.
    pub(super) fn end(&self) -> Result<()> {
        let head = self.path(HEAD);
        fence::critical(self.home, self.epoch, self.watch, || {
            disk::remove_file(&head)
        })?;
        fence::check(self.home, self.epoch, self.watch)?;
        disk::remove_tree(&self.home.state_path(DIRECTORY))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.state_path(DIRECTORY).join(name)
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>> {
        let path = self.path(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_file() && found.len() <= MAX_FILE => {}
            Ok(_) => return Err(Error::BadInput(format!("`{}` is damaged", path.display()))),
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(Error::io("look at", path, why)),
        }
        let bytes = fs::read(&path).map_err(|why| Error::io("read", &path, why))?;
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| Error::BadInput(format!("`{}` is damaged", path.display())))
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<()> {
        let path = self.path(name);
        fence::critical(self.home, self.epoch, self.watch, || {
            disk::write_json(&path, value)
        })
    }
}

fn file(range: usize) -> String {
    format!("range-{range}.json")
}

fn digest(options: &ReplaceOptions) -> Result<String> {
    let mut options = options.clone();
    // How fast does not say what.
    options.connections = 0;
    serde_json::to_vec(&options)
        .map(|bytes| hash(&bytes))
        .map_err(|why| Error::BadInput(why.to_string()))
}
