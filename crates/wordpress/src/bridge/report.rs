//! What came back from inside WordPress, all of it hearsay.

use super::action::Action;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What the PHP process said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// One outcome per action that was begun, in order. The action in which PHP died
    /// has the last one, with the code `fatal`; none are there when WordPress did
    /// not start.
    pub outcomes: Vec<Outcome>,
    /// Set when PHP ended early: the fatal error as PHP words it, or what the
    /// process did (signal, exit code, time-out).
    pub fatal: Option<String>,
    /// Slug of the component that ended it, when one can be named.
    pub blamed: Option<String>,
    /// More about that component.
    #[serde(default)]
    pub blame: Option<Blame>,
    /// When PHP died in an action that has an undo: whether it says that the state
    /// from before is back.
    #[serde(default)]
    pub undone: Option<bool>,
    /// Bytes printed outside the frames.
    pub noise_bytes: u64,
    /// The last 2 kB of them, lossily decoded.
    pub noise_tail: String,
    /// PHP's version, when the answer arrived.
    pub php_version: Option<String>,
}

impl Report {
    /// The actions that were not begun because PHP died before them.
    pub fn remaining<'a>(&self, actions: &'a [Action]) -> &'a [Action] {
        actions.get(self.outcomes.len()..).unwrap_or_default()
    }

    /// Whether WordPress started and every action worked.
    pub fn is_ok(&self) -> bool {
        self.fatal.is_none() && self.outcomes.iter().all(|outcome| outcome.ok)
    }
}

/// What became of one action, as reported from inside WordPress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether WordPress said it worked.
    pub ok: bool,
    /// The error as WordPress words it.
    pub error: Option<String>,
    /// The error's code: of a `WP_Error`, or ours, e.g. `user_missing`, `exception`,
    /// `died` (`wp_die()`), `fatal`, `fenced`, `needs_own_boot`, `too_large`.
    pub code: Option<String>,
    /// What the action returns, see [`outcomes`](super::outcomes); of an action that
    /// failed half-way, what it had done.
    pub data: serde_json::Value,
    /// The component whose code failed, when one can be named.
    #[serde(default)]
    pub blame: Option<Blame>,
    /// A password that was generated.
    #[serde(default)]
    pub secret: Option<Generated>,
}

impl Outcome {
    /// The data in its shape; `None` when it has another.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(&self.data).ok()
    }
}

/// A password made at the site; its debug form hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generated(String);

impl Generated {
    /// The password.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Generated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[generated]")
    }
}

/// A component named as the cause, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blame {
    /// What it is.
    pub kind: BlamedKind,
    /// Directory or single file without `.php`; a drop-in with it.
    pub slug: String,
    /// File below the directory of its kind.
    pub file: String,
    /// Line in it, where an error or a callback says one.
    pub line: Option<u32>,
    /// How it is known.
    pub evidence: Evidence,
}

/// Kinds of components that can end a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlamedKind {
    /// A plugin.
    Plugin,
    /// A must-use plugin.
    MuPlugin,
    /// A theme.
    Theme,
    /// A file such as `object-cache.php`.
    DropIn,
}

/// How a component came to be named, surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The error or its trace names its file.
    Error,
    /// It was being loaded.
    Loading,
    /// An action was about to run its code.
    Action,
    /// It alone listens to the hook that was running.
    Hook,
}
