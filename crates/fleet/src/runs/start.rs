//! Asking for a run.

use super::{Operation, Run, Targets};
use crate::{Caller, Error, Fleet, Result};
use pressroom_base::{Kind, catalog::event, id::RunId};
use pressroom_jobs::{Lane, NewJob, enqueue};
use pressroom_store::{NewRun as Stored, RunRow, runs};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// The name of the job.
pub(super) const KIND: &str = "fleet_run";
/// A run is taken up by each process that begins after one that ended, so often at most.
const ATTEMPTS: i32 = 1000;

/// The payload of the job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) run: RunId,
}

/// How much of a run happens at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Environments at the same time, 1 to 256.
    pub at_once: u16,
    /// Environments at the same time on one host, 1 to 64.
    pub per_host: u16,
    /// How long one waits for whatever else writes to its environment, at most
    /// [`Bounds::LONGEST_WAIT`].
    pub wait: Duration,
}

impl Bounds {
    /// The most environments at the same time.
    pub const MOST_AT_ONCE: u16 = 256;
    /// The most on one host.
    pub const MOST_PER_HOST: u16 = 64;
    /// The longest that one waits for what else writes to its environment.
    pub const LONGEST_WAIT: Duration = Duration::from_hours(24);
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            at_once: 32,
            per_host: 8,
            wait: Duration::from_mins(10),
        }
    }
}

/// A run to start.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Which environments.
    pub selector: String,
    /// What to do there.
    pub operation: Operation,
    /// How much at once.
    pub bounds: Bounds,
}

/// A run that was started.
#[derive(Debug, Clone)]
pub struct Started {
    /// The run.
    pub run: Run,
    /// How many environments it leaves out because too little is known to tell.
    pub undecided: usize,
    /// What may be wrong with the selector although it is understood.
    pub hint: Option<String>,
}

impl Fleet {
    /// Starts a run on the environments that the selector names now. Each of its items ends
    /// in a final state; one whose worker was lost is not begun again.
    ///
    /// Errors: `Invalid`, `Forbidden` as [`Fleet::run_targets`]; `NotFound` when no
    /// environment is named.
    pub async fn start_run(&self, caller: &Caller, new: NewRun) -> Result<Started> {
        let targets = self
            .run_targets(caller, &new.selector, &new.operation)
            .await?;
        let (undecided, hint) = (targets.undecided, targets.hint.clone());
        let row = self.queue_run(caller, new, targets, None).await?;
        let run = self.run_view(row, &caller.principal.scope()).await?;
        Ok(Started {
            run,
            undecided,
            hint,
        })
    }

    pub(super) async fn queue_run(
        &self,
        caller: &Caller,
        new: NewRun,
        targets: Targets,
        resumes: Option<RunId>,
    ) -> Result<RunRow> {
        let NewRun {
            selector,
            operation,
            bounds,
        } = new;
        let ranges = [
            (bounds.at_once, Bounds::MOST_AT_ONCE, "in all"),
            (bounds.per_host, Bounds::MOST_PER_HOST, "on one host"),
        ];
        for (asked, most, of) in ranges {
            if !(1..=most).contains(&asked) {
                return Err(Error::invalid(format!(
                    "a run has 1 to {most} sites at the same time {of}"
                )));
            }
        }
        if bounds.wait > Bounds::LONGEST_WAIT {
            return Err(Error::invalid(format!(
                "a site is waited for {} hours at most",
                Bounds::LONGEST_WAIT.as_secs() / 3600
            )));
        }
        if targets.places.is_empty() {
            return Err(nothing_named(targets.undecided));
        }
        let sites = targets.places.len();
        let stored = Stored {
            requested_by: caller.principal.user_id(),
            actor: caller.principal.label().to_owned(),
            selector,
            operation: serde_json::to_value(&operation).map_err(Error::internal)?,
            at_once: i32::from(bounds.at_once),
            per_host: i32::from(bounds.per_host),
            wait_ms: i64::try_from(bounds.wait.as_millis()).unwrap_or(i64::MAX),
            resumes,
        };
        let tx = self.parts.store.begin().await?;
        let row = runs::create(&tx, stored, targets.places).await?;
        let payload = serde_json::to_value(Payload { run: row.id }).map_err(Error::internal)?;
        let mut job = NewJob::new(KIND, payload);
        job.lane = Lane::Read;
        job.max_attempts = ATTEMPTS;
        job.requested_by = row.requested_by;
        let job = enqueue(&tx, job).await?;
        runs::set_job(&tx, row.id, job).await?;
        let told = json!({
            "run": row.public_id,
            "operation": operation.summary(),
            "selector": row.selector,
            "sites": sites,
        });
        self.note(&tx, caller, event::RUN_STARTED, None, told)
            .await?;
        tx.commit().await?;
        Ok(RunRow {
            job_id: Some(job),
            ..row
        })
    }
}

fn nothing_named(undecided: usize) -> Error {
    let error = Error::new(Kind::NotFound, "the selector names no site");
    match undecided {
        0 => error.with_hint("`pressroom site list SELECTOR` shows what it names"),
        1 => error.with_hint("1 site may match: what was asked is not known of it"),
        many => error.with_hint(format!(
            "{many} sites may match: what was asked is not known of them"
        )),
    }
}
