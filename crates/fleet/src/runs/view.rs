//! Runs as faces see them.

use super::{Channel, Operation};
use crate::{Error, Fleet, Result};
use pressroom_base::Timestamp;
use pressroom_store::{RunItemRow, RunItemState, RunPiece, RunRow, Scope, jobs, runs};
use serde::Serialize;
use std::collections::BTreeMap;

/// One operation on many environments.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// `run_` and twelve letters and digits.
    pub id: String,
    /// Which environments were meant.
    pub selector: String,
    /// What is done there.
    #[serde(flatten)]
    pub operation: Operation,
    /// Who asked for it, as the activity log names them.
    pub actor: String,
    /// `waiting` (no worker has it yet), `running`, `ended` or `cancelled`.
    pub state: String,
    /// How many items are in each state.
    pub items: BTreeMap<String, u64>,
    /// Environments at the same time.
    pub at_once: i32,
    /// Environments at the same time on one host.
    pub per_host: i32,
    /// The run whose rest this one does.
    pub resumes: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its last item had ended.
    pub ended_at: Option<Timestamp>,
}

impl Run {
    /// Whether every item is in a final state.
    pub const fn is_over(&self) -> bool {
        self.ended_at.is_some()
    }

    /// How many items are in a state.
    pub fn count(&self, state: &str) -> u64 {
        self.items.get(state).copied().unwrap_or(0)
    }

    /// How many items there are.
    pub fn total(&self) -> u64 {
        self.items.values().sum()
    }

    /// How many of them have not ended.
    pub fn left(&self) -> u64 {
        self.count("waiting") + self.count("running")
    }

    /// Whether everything was done, everywhere.
    pub fn is_success(&self) -> bool {
        self.is_over() && self.count("done") == self.total()
    }
}

/// One environment of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunItem {
    /// Its place, from 1.
    pub ordinal: i32,
    /// The environment's id, `wp_…`.
    pub site: String,
    /// What its results are labelled with.
    pub label: String,
    /// `waiting`, `running`, `done`, `failed`, `timed_out`, `cancelled`, `interrupted` or
    /// `skipped`.
    pub state: String,
    /// What a command ended with.
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    pub signal: Option<i64>,
    /// Bytes of output that were over the limit.
    pub dropped_bytes: i64,
    /// Why it ended so, for a person; empty when it was done.
    pub note: String,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

impl RunItem {
    /// Whether it stays in its state.
    pub fn is_final(&self) -> bool {
        RunItemState::parse(&self.state).is_some_and(RunItemState::is_final)
    }

    /// Whether it was done.
    pub fn is_done(&self) -> bool {
        self.state == RunItemState::Done.as_str()
    }
}

impl From<RunItemRow> for RunItem {
    fn from(row: RunItemRow) -> Self {
        Self {
            ordinal: row.ordinal,
            site: row.panel_id,
            label: row.label,
            state: row.state.as_str().to_owned(),
            exit_code: row.exit_code,
            signal: row.signal,
            dropped_bytes: row.dropped_bytes,
            note: row.note,
            started_at: row.started_at,
            ended_at: row.ended_at,
        }
    }
}

/// A piece of what an item printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Rising within the item; pass it back for what comes after.
    pub seq: i32,
    /// Where it was printed.
    pub channel: Channel,
    /// What was printed, as it was.
    pub bytes: Vec<u8>,
}

impl From<RunPiece> for Printed {
    fn from(piece: RunPiece) -> Self {
        Self {
            seq: piece.seq,
            channel: if piece.channel == super::kept::STDERR {
                Channel::Stderr
            } else {
                Channel::Stdout
            },
            bytes: piece.bytes,
        }
    }
}

impl Fleet {
    /// A run with the counts of those of its items that are within a scope.
    pub(super) async fn run_view(&self, row: RunRow, scope: &Scope) -> Result<Run> {
        let store = &self.parts.store;
        let counts = runs::counts(store, row.id, scope).await?;
        let begun = match row.job_id {
            Some(id) => jobs::get(store, id)
                .await?
                .is_none_or(|job| job.attempt > 0),
            None => false,
        };
        let state = match row.state {
            pressroom_store::RunState::Open if begun => "running",
            pressroom_store::RunState::Open => "waiting",
            over => over.as_str(),
        };
        let resumes = match row.resumes {
            Some(id) => runs::get(store, id).await?.map(|row| row.public_id),
            None => None,
        };
        Ok(Run {
            id: row.public_id,
            selector: row.selector,
            operation: serde_json::from_value(row.operation).map_err(Error::internal)?,
            actor: row.actor,
            state: state.to_owned(),
            items: counts
                .into_iter()
                .map(|(state, count)| (state.as_str().to_owned(), count))
                .collect(),
            at_once: row.at_once,
            per_host: row.per_host,
            resumes,
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}
