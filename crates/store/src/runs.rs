//! Runs: one operation on many environments, each an item with an end of its own.
//!
//! Who writes an item's state holds the run's job; who writes its output holds the item's.
//! Both fence in the transaction they hand in.

use crate::{Error, Page, Read, Result, Scope, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, HostId, JobId, RunId, RunItemId, UserId},
    token,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

mod items;
mod output;

pub use items::{begin_item, end_all, end_item, get_item, item_at, items, items_in, take_up_begun};
pub use output::{append_output, output_after};

names! {
    /// Where a run stands.
    RunState {
        /// Some of its items have not ended.
        Open = "open",
        /// All of them have.
        Ended = "ended",
        /// All of them have, some because somebody stopped it.
        Cancelled = "cancelled",
    }
}

names! {
    /// Where an item stands.
    RunItemState {
        /// Its turn has not come.
        Waiting = "waiting",
        /// A job is at it.
        Running = "running",
        /// Done, with 0 where it is a command.
        Done = "done",
        /// Not done, or ended with something else.
        Failed = "failed",
        /// Ended for having taken too long.
        TimedOut = "timed_out",
        /// Stopped on request, or never begun because of it.
        Cancelled = "cancelled",
        /// Its worker was lost: nobody knows how far it came.
        Interrupted = "interrupted",
        /// It could not be begun, and nothing was done.
        Skipped = "skipped",
    }
}

impl RunItemState {
    /// Whether an item stays in this state.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

table! {
    /// One operation on many environments.
    RunRow = run("runs") {
        /// The row.
        id: RunId,
        /// What people call it: `run_` and 12 characters; unique.
        public_id: String,
        /// The job that carries it out.
        job_id: Option<JobId>,
        /// Who asked for it; `None` at this machine's own command line.
        requested_by: Option<UserId>,
        /// Their name in the activity log.
        actor: String,
        /// Which environments were meant.
        selector: String,
        /// What is done there.
        operation: serde_json::Value,
        /// Items at the same time.
        at_once: i32,
        /// Items at the same time on one host.
        per_host: i32,
        /// How long one waits for whatever else writes to its environment.
        wait_ms: i64,
        /// The run whose rest this one does.
        resumes: Option<RunId>,
        /// Where it stands.
        state: RunState,
        /// When it was asked for.
        created_at: Timestamp,
        /// When its last item had ended.
        ended_at: Option<Timestamp>,
    }
}

table! {
    /// One environment of a run.
    RunItemRow = item("run_items") {
        /// The row.
        id: RunItemId,
        /// The run.
        run_id: RunId,
        /// Its place, from 1.
        ordinal: i32,
        /// Where; it may be gone.
        environment_id: EnvironmentId,
        /// Whose that is.
        account_id: AccountId,
        /// The host it is on; `None` is this machine.
        host_id: Option<HostId>,
        /// What dialects call it.
        panel_id: String,
        /// What people call it.
        label: String,
        /// Where it stands.
        state: RunItemState,
        /// The job that does it.
        job_id: Option<JobId>,
        /// What a command ended with.
        exit_code: Option<i64>,
        /// The signal that ended it.
        signal: Option<i64>,
        /// Output that was over the limit.
        dropped_bytes: i64,
        /// Why it ended so, for people.
        note: String,
        /// When it began.
        started_at: Option<Timestamp>,
        /// When it was over.
        ended_at: Option<Timestamp>,
    }
}

/// A piece of what an item printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPiece {
    /// Its place in the item's output, from 1.
    pub seq: i32,
    /// `stdout` or `stderr`.
    pub channel: String,
    /// What was printed, as it was.
    pub bytes: Vec<u8>,
}

/// A run to record.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Who asked for it.
    pub requested_by: Option<UserId>,
    /// Their name in the activity log.
    pub actor: String,
    /// Which environments were meant.
    pub selector: String,
    /// What is done there; no secrets.
    pub operation: serde_json::Value,
    /// Items at the same time.
    pub at_once: i32,
    /// Items at the same time on one host.
    pub per_host: i32,
    /// How long one waits for whatever else writes to its environment.
    pub wait_ms: i64,
    /// The run whose rest this one does.
    pub resumes: Option<RunId>,
}

/// An item to record.
#[derive(Debug, Clone)]
pub struct NewRunItem {
    /// Where.
    pub environment: EnvironmentId,
    /// Whose that is.
    pub account: AccountId,
    /// The host it is on.
    pub host: Option<HostId>,
    /// What dialects call it.
    pub panel_id: String,
    /// What people call it.
    pub label: String,
}

/// How an item ended.
#[derive(Debug, Clone)]
pub struct RunItemEnd {
    /// In which state.
    pub state: RunItemState,
    /// What a command ended with.
    pub exit_code: Option<i64>,
    /// The signal that ended it.
    pub signal: Option<i64>,
    /// Output that was over the limit.
    pub dropped_bytes: i64,
    /// Why, for people.
    pub note: String,
}

impl RunItemEnd {
    /// An end without a command's.
    pub fn new(state: RunItemState, note: impl Into<String>) -> Self {
        Self {
            state,
            exit_code: None,
            signal: None,
            dropped_bytes: 0,
            note: note.into(),
        }
    }
}

/// Records a run with its items, in this order; all of them wait.
pub async fn create(tx: &Tx, new: NewRun, places: Vec<NewRunItem>) -> Result<RunRow> {
    let model = run::ActiveModel {
        public_id: Set(format!(
            "run_{}",
            token::from_alphabet(b"abcdefghijklmnopqrstuvwxyz0123456789", 12)
        )),
        job_id: Set(None),
        requested_by: Set(new.requested_by.raw()),
        actor: Set(new.actor),
        selector: Set(new.selector),
        operation: Set(new.operation.raw()),
        at_once: Set(new.at_once),
        per_host: Set(new.per_host),
        wait_ms: Set(new.wait_ms),
        resumes: Set(new.resumes.raw()),
        state: Set(RunState::Open.raw()),
        created_at: Set(tx.now().await?.millis()),
        ended_at: Set(None),
        ..Default::default()
    };
    let row = RunRow::read(model.insert(tx.connection()).await?)?;
    items::insert(tx, row.id, places).await?;
    Ok(row)
}

/// Says which job carries a run out.
pub async fn set_job(tx: &Tx, run: RunId, job: JobId) -> Result<()> {
    sql::run(
        tx,
        "UPDATE runs SET job_id = $1 WHERE id = $2",
        [job.get().into(), run.get().into()],
    )
    .await?;
    Ok(())
}

/// One run.
pub async fn get(from: &impl Read, id: RunId) -> Result<Option<RunRow>> {
    let found = run::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(RunRow::read).transpose()
}

/// The run of this name, whosever it is.
pub async fn by_public_id(from: &impl Read, public_id: &str) -> Result<Option<RunRow>> {
    let found = run::Entity::find()
        .filter(run::Column::PublicId.eq(public_id))
        .one(from.connection())
        .await?;
    found.map(RunRow::read).transpose()
}

/// Runs, newest first: everybody's, or one person's.
pub async fn list(from: &impl Read, of: Option<UserId>, page: Page) -> Result<Vec<RunRow>> {
    let mut query = run::Entity::find().order_by_desc(run::Column::Id);
    if let Some(person) = of {
        query = query.filter(run::Column::RequestedBy.eq(person.get()));
    }
    let found = query
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(RunRow::read).collect()
}

/// The runs that do the rest of another.
pub async fn resumed_from(from: &impl Read, id: RunId) -> Result<Vec<RunRow>> {
    let found = run::Entity::find()
        .filter(run::Column::Resumes.eq(id.get()))
        .all(from.connection())
        .await?;
    found.into_iter().map(RunRow::read).collect()
}

/// How many items of a run, of environments within a scope, are in each state.
pub async fn counts(
    from: &impl Read,
    run: RunId,
    scope: &Scope,
) -> Result<Vec<(RunItemState, u64)>> {
    let accounts = match scope.ids() {
        None => String::new(),
        // Numbers of ours.
        Some(own) if own.is_empty() => " AND FALSE".to_owned(),
        Some(own) => {
            let own: Vec<String> = own.iter().map(i64::to_string).collect();
            format!(" AND account_id IN ({})", own.join(", "))
        }
    };
    let rows = sql::all(
        from,
        format!(
            "SELECT state, COUNT(*) AS items FROM run_items WHERE run_id = $1{accounts} \
             GROUP BY state ORDER BY state"
        ),
        [run.get().into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            let state: String = row.try_get("", "state")?;
            let items: i64 = row.try_get("", "items")?;
            let state = RunItemState::parse(&state).ok_or(Error::Corrupt {
                place: "run_items.state",
            })?;
            Ok((state, u64::try_from(items).unwrap_or(0)))
        })
        .collect()
}

/// Says that the last item of a run has ended.
pub async fn end(tx: &Tx, run: RunId, state: RunState) -> Result<()> {
    sql::run(
        tx,
        "UPDATE runs SET state = $1, ended_at = $2 WHERE id = $3",
        [
            state.as_str().into(),
            tx.now().await?.millis().into(),
            run.get().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Forgets runs that ended longer ago than `older_than`, with what they printed.
pub async fn prune(tx: &Tx, older_than: std::time::Duration) -> Result<u64> {
    let before = tx.now().await?.minus(older_than).millis();
    sql::run(
        tx,
        "DELETE FROM runs WHERE ended_at IS NOT NULL AND ended_at < $1",
        [before.into()],
    )
    .await
}
