//! What can be done on many environments. Another operation is a variant here and what
//! begins it on one.

use crate::{
    Caller, Error, Fleet, Result,
    authorize::Action,
    caches::CacheChange,
    code,
    components::{Change, ChangeComponents, UpdateComponents},
    core::UpdateCore,
    database::SearchReplace,
    security::SetSecurity,
    snapshots::NewSnapshot,
    views::Job,
};
use pressroom_base::{Kind, id::EnvironmentId};
use pressroom_wordpress::command::{MAX_LIMIT, MAX_WORDS};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a run does on each environment, or somebody on one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Operation {
    /// Runs a command.
    Command(Command),
    /// Installs, activates, deactivates or deletes components.
    ChangeComponents(ChangeComponents),
    /// Updates components.
    UpdateComponents(UpdateComponents),
    /// Updates WordPress.
    UpdateCore(UpdateCore),
    /// Lays the files of WordPress down anew.
    ReinstallCore,
    /// Replaces a text in the tables.
    SearchReplace(SearchReplace),
    /// Puts caches in or out, or empties them.
    Caches(CacheChange),
    /// Switches a measure against intruders.
    Security(SetSecurity),
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
            Self::ChangeComponents(_)
            | Self::UpdateComponents(_)
            | Self::UpdateCore(_)
            | Self::ReinstallCore => Action::ComponentUpdate,
            Self::SearchReplace(_) => Action::SiteDatabase,
            Self::Caches(_) | Self::Security(_) | Self::Maintenance { .. } => Action::SiteConfigure,
            Self::Snapshot => Action::SnapshotCreate,
        }
    }

    /// Whether it has its environment, and what shares a place with that, for itself.
    pub(super) const fn writes(&self) -> bool {
        !matches!(
            self,
            Self::Command(Command {
                read_only: true,
                ..
            })
        )
    }

    /// In a few words, for lists: those of the command line.
    pub fn summary(&self) -> String {
        let words = |start: &str, names: &[String]| {
            let mut text = start.to_owned();
            for name in names {
                text.push(' ');
                text.push_str(name);
            }
            text
        };
        match self {
            Self::Command(command) => command.argv.join(" "),
            Self::ChangeComponents(change) => words(
                &format!("{} {}", change.kind, change.change.verb()),
                &change.names,
            ),
            Self::UpdateComponents(update) => {
                words(&format!("{} update", update.kind), &update.slugs)
            }
            Self::UpdateCore(update) => match &update.version {
                Some(version) => format!("update-core --version {version}"),
                None if update.minor_only => "update-core --minor".to_owned(),
                None => "update-core".to_owned(),
            },
            Self::ReinstallCore => "reinstall-core".to_owned(),
            Self::SearchReplace(replace) => {
                format!("search-replace {} {}", replace.old, replace.new)
            }
            Self::Caches(change) => format!("cache {}", change.verb()),
            Self::Security(set) => format!("security {}", set.summary()),
            Self::Maintenance { enabled: true } => "maintenance on".to_owned(),
            Self::Maintenance { enabled: false } => "maintenance off".to_owned(),
            Self::Snapshot => "snapshot create".to_owned(),
        }
    }

    /// Refuses what cannot be done anywhere.
    pub(super) fn check(&self) -> Result<()> {
        let command = match self {
            Self::Command(command) => command,
            Self::ChangeComponents(ChangeComponents {
                change: Change::Install {
                    source: Some(_), ..
                },
                ..
            }) => {
                // What a run does is kept and shown, and such an address may hold a password.
                return Err(Error::invalid(
                    "a package from an address is installed on one site at a time",
                )
                .with_hint("for many, let a package source offer it"));
            }
            Self::ChangeComponents(change) => return change.check(),
            Self::SearchReplace(replace) => return replace.check(),
            Self::Security(set) => return set.check(),
            _ => return Ok(()),
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
    ///
    /// Errors: those of the use case.
    pub(super) async fn begin(
        self,
        fleet: &Fleet,
        caller: &Caller,
        at: EnvironmentId,
    ) -> Result<Job> {
        match self {
            // Commands are parts of a run's job: see `course.rs`.
            Self::Command(_) => Err(Error::new(Kind::Internal, "a command was begun as a job")),
            Self::ChangeComponents(change) => fleet.change_components(caller, at, change).await,
            Self::UpdateComponents(update) => fleet.update_components(caller, at, update).await,
            Self::UpdateCore(update) => fleet.update_core(caller, at, update).await,
            Self::ReinstallCore => fleet.reinstall_core(caller, at).await,
            Self::SearchReplace(replace) => fleet.search_replace(caller, at, replace).await,
            Self::Caches(change) => fleet.change_caches(caller, at, change).await,
            Self::Security(set) => fleet.set_security(caller, at, set).await,
            Self::Maintenance { enabled } => fleet.set_maintenance(caller, at, enabled).await,
            Self::Snapshot => {
                let new = NewSnapshot::default();
                Ok(fleet.create_snapshot(caller, at, new).await?.1)
            }
        }
    }
}

impl Fleet {
    /// Starts an operation other than a command at one environment, as a job.
    ///
    /// Errors: those of its use case.
    pub async fn begin_operation(
        &self,
        caller: &Caller,
        at: EnvironmentId,
        operation: Operation,
    ) -> Result<Job> {
        Box::pin(operation.begin(self, caller, at)).await
    }
}

/// Whether an environment is only busy, so that its turn may come later.
pub(super) fn is_busy(error: &Error) -> bool {
    error.code() == Some(code::OPERATION_RUNNING)
}
