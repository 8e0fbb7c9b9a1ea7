//! What can be done on many environments. Another operation is a variant here and what
//! begins it on one.

use crate::{
    Caller, Error, Fleet, Result, authorize::Action, caches::CacheChange, code,
    snapshots::NewSnapshot,
};
use pressroom_base::{Kind, id::JobId};
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::command::{MAX_LIMIT, MAX_WORDS};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a run does on each environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Operation {
    /// Runs a command.
    Command(Command),
    /// Flushes the object cache and deletes expired transients.
    FlushCaches,
    /// Puts the site into maintenance, or takes it out.
    Maintenance {
        /// Whether it is to be in maintenance.
        enabled: bool,
    },
    /// Takes a whole snapshot.
    Snapshot,
}

/// A command of somebody's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The program and its arguments. No shell takes them apart. They are kept and shown:
    /// no secrets.
    pub argv: Vec<String>,
    /// After this long it is ended.
    pub limit_ms: u64,
    /// Whether it changes nothing, and may run beside what does.
    pub read_only: bool,
}

impl Command {
    /// How long it may take.
    pub const fn limit(&self) -> Duration {
        Duration::from_millis(self.limit_ms)
    }
}

impl Operation {
    /// What somebody must be allowed on each of the environments.
    pub const fn action(&self) -> Action {
        match self {
            Self::Command(_) => Action::SiteCommand,
            Self::FlushCaches | Self::Maintenance { .. } => Action::SiteConfigure,
            Self::Snapshot => Action::SnapshotCreate,
        }
    }

    /// In a few words, for lists.
    pub fn summary(&self) -> String {
        match self {
            Self::Command(command) => command.argv.join(" "),
            Self::FlushCaches => "cache flush".to_owned(),
            Self::Maintenance { enabled: true } => "maintenance on".to_owned(),
            Self::Maintenance { enabled: false } => "maintenance off".to_owned(),
            Self::Snapshot => "snapshot create".to_owned(),
        }
    }

    /// Refuses what cannot be done anywhere.
    pub(super) fn check(&self) -> Result<()> {
        let Self::Command(command) = self else {
            return Ok(());
        };
        let words = &command.argv;
        if words.first().is_none_or(String::is_empty) {
            return Err(Error::invalid("there is no command to run")
                .with_hint("it stands behind `--`, as in `-- wp core version`"));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err(Error::invalid("a command's words may not contain NUL"));
        }
        if words.iter().map(|word| word.len() + 1).sum::<usize>() > MAX_WORDS {
            return Err(Error::invalid(format!(
                "the command is longer than {} kB",
                MAX_WORDS / 1024
            ))
            .with_hint("put a script into the sites and run that"));
        }
        if command.limit() > MAX_LIMIT || command.limit() < Duration::from_millis(100) {
            return Err(Error::invalid(format!(
                "a command's time limit is at least 100 ms and at most {} minutes",
                MAX_LIMIT.as_secs() / 60
            )));
        }
        Ok(())
    }

    /// Begins what is not a command at one environment, by the use case there is for it.
    pub(super) async fn begin(
        &self,
        fleet: &Fleet,
        caller: &Caller,
        row: &EnvironmentRow,
    ) -> Result<JobId> {
        let job = match self {
            // Commands are parts of the run's job: see `course.rs`.
            Self::Command(_) => {
                return Err(Error::new(Kind::Internal, "a command was begun as a job"));
            }
            Self::FlushCaches => {
                Box::pin(fleet.change_caches(caller, row.id, CacheChange::Flush)).await?
            }
            Self::Maintenance { enabled } => {
                fleet.set_maintenance(caller, row.id, *enabled).await?
            }
            Self::Snapshot => {
                let new = NewSnapshot::default();
                Box::pin(fleet.create_snapshot(caller, row.id, new))
                    .await?
                    .1
            }
        };
        Ok(job.id)
    }
}

/// Whether an environment is only busy, so that its turn may come later.
pub(super) fn is_busy(error: &Error) -> bool {
    error.code() == Some(code::OPERATION_RUNNING)
}
