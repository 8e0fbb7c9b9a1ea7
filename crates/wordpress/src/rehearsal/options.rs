//! What is asked of a rehearsal, and what came of it.

use serde::{Deserialize, Serialize};

/// How to make a clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RehearsalOptions {
    /// Further patterns of files that are left out, as of a snapshot.
    pub exclude: Vec<String>,
    /// Use a network and mounts of its own where the host has them.
    pub namespaces: bool,
    /// Use Landlock where the host has it.
    pub landlock: bool,
}

impl Default for RehearsalOptions {
    fn default() -> Self {
        Self {
            exclude: Vec::new(),
            namespaces: true,
            landlock: true,
        }
    }
}

/// A clone that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Its name, for [`super::visit`], [`super::log`] and [`super::drop_rehearsal`].
    pub handle: String,
    /// Directory of its WordPress, relative to the home: the `root` of every other operation.
    pub root: String,
    /// Tables and views that were copied.
    pub tables: u64,
    /// Files that are in it.
    pub files: u64,
    /// Bytes of files that were copied.
    pub bytes_copied: u64,
    /// Bytes of files that it shares with the site on disk until either is written.
    pub bytes_shared: u64,
    /// Bytes of tables, as the server estimates them.
    pub bytes_tables: u64,
    /// Files of the uploads that it does not have and that visitors get from the site's own.
    pub files_read_through: u64,
    /// What the site has and the clone has not, or has in another way.
    pub dropped: Vec<String>,
    /// What this host cannot keep from happening.
    pub unblocked: Vec<String>,
    /// How long it took.
    pub took_ms: u64,
}
