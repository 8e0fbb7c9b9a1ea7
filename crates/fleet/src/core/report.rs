//! What a job on WordPress itself says at its end.

use serde::{Deserialize, Serialize};

/// The job's result.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CoreReport {
    /// How it ended.
    pub outcome: CoreOutcome,
    /// Version before.
    pub old_version: String,
    /// Version now, as its files say.
    pub new_version: String,
    /// Hash of the core files before; `None` where nothing was exchanged.
    pub tree_before: Option<String>,
    /// Hash of the core files now.
    pub tree_now: Option<String>,
    /// The snapshot from before, to go back to later.
    pub snapshot: Option<String>,
    /// Sites whose tables were upgraded: one, or those of the network.
    pub databases: usize,
    /// What happened, for a person.
    pub message: String,
}

/// How it ended. Every one of these was verified by looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoreOutcome {
    /// Another version is live: files and tables are its own, the site answers.
    Updated,
    /// The same version was laid down anew.
    Reinstalled,
    /// It was that version already.
    Unchanged,
}
