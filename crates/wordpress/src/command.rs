//! A command of somebody's own, run at a site: one program, as the site's user, in the
//! site's directory, with nothing of ours but a few documented variables.
//!
//! Its process group ends with it. What it prints goes out labelled, as it comes; what is
//! over the limit is counted and dropped, so that the command itself never waits for a
//! reader who has had enough.

mod group;
mod output;
mod run;
#[cfg(test)]
mod tests;

pub use output::{Channel, Records};
pub use run::run;

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The longest a command may take.
pub const MAX_LIMIT: Duration = Duration::from_mins(55);
/// The most bytes of arguments and variables.
pub const MAX_WORDS: usize = 128 * 1024;

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The directory to run it in, relative to the home.
    pub root: String,
    /// The program, looked for on `PATH` unless it has a slash, and its arguments.
    pub argv: Vec<String>,
    /// Variables beside `PATH`, `HOME`, `LANG` and `TMPDIR`.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// After this long it is told to end, and killed if it does not.
    pub limit_ms: u64,
    /// Bytes of output that are passed on, of both kinds together.
    pub keep_bytes: u64,
}

impl Command {
    /// How long it may take.
    pub const fn limit(&self) -> Duration {
        let limit = Duration::from_millis(self.limit_ms);
        if limit.as_millis() > MAX_LIMIT.as_millis() {
            MAX_LIMIT
        } else {
            limit
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEnd {
    /// What it ended with; 127 when there is no such program, 126 when it cannot be run.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it was ended for having taken too long.
    pub timed_out: bool,
    /// Bytes it wrote to standard output.
    pub stdout_bytes: u64,
    /// Bytes it wrote to standard error.
    pub stderr_bytes: u64,
    /// How many of both were dropped, being over the limit.
    pub dropped_bytes: u64,
    /// How long it ran.
    pub duration_ms: u64,
}

impl CommandEnd {
    /// Whether it ended by itself and with 0.
    pub fn is_success(&self) -> bool {
        self.exit_code == Some(0) && !self.timed_out
    }
}
