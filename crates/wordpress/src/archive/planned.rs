//! What is to be exchanged, and what the journal knows of it.

use super::manifest::EntryPath;
use crate::{Error, Result, home::Home, package};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is to be exchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The live directory, relative to the home: the root of a site or a directory
    /// in it. It need not exist.
    pub root: String,
    /// Handle of what was unpacked.
    pub staged: String,
    /// Which tree of it; see [`super::PackedTree::prefix`].
    pub prefix: String,
    /// Hash that the live tree must have; `None` takes whatever is live.
    pub before: Option<String>,
    /// Hash of the unpacked tree.
    pub after: String,
    /// Paths in the tree that are not in the archive and go over from the live tree,
    /// mostly [`super::PackedTree::excluded`]. What is there in both stays.
    pub carry: Vec<EntryPath>,
    /// Files directly in the tree that are as they are live, or absent, whatever the
    /// archive has there: `wp-config.php` where the archive is of another site.
    #[serde(default)]
    pub keep: Vec<EntryPath>,
    /// Whether the live directory may hold nothing but a host's placeholder page.
    #[serde(default)]
    pub vacant: bool,
}

impl Exchange {
    /// Everything that goes over from the live tree.
    pub(super) fn carried(&self) -> impl Iterator<Item = &EntryPath> {
        self.carry.iter().chain(&self.keep)
    }
}

/// How trees were exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The directory itself, in one act.
    Whole,
    /// The names directly in it, one after the other.
    ByName,
}

/// What the journal knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(super) exchange: Exchange,
    pub(super) method: Method,
    pub(super) slots: Vec<Slot>,
    /// Which of the paths to carry over the old tree has and the new one has not.
    pub(super) carry: Vec<EntryPath>,
}

/// One name, and what belongs there on either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slot {
    /// Directly inside the root; empty for the root itself.
    pub(super) name: EntryPath,
    pub(super) before: Option<Inode>,
    pub(super) after: Option<Inode>,
}

pub(super) type Inode = (u64, u64);

impl Record {
    pub(crate) fn staged(&self) -> &str {
        &self.exchange.staged
    }
}

/// Where what was unpacked under a handle lies.
pub(crate) fn staging_dir(home: &Home, staged: &str) -> Result<PathBuf> {
    if !package::is_handle(staged) {
        return Err(Error::BadPath(staged.to_owned()));
    }
    Ok(home.state_path("staging").join(staged))
}
