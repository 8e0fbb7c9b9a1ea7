//! The course of a run: begins what may be begun, writes down what has ended, and waits.

use super::{Command, Operation, command, end, operation::is_busy, rights::Rights};
use crate::{Caller, Error, Fleet, Result, jobs::Enqueue};
use pressroom_base::{
    Kind,
    catalog::event,
    id::{HostId, JobId, RunItemId},
};
use pressroom_jobs::{JobContext, JobFailure, JobKind, Part};
use pressroom_store::{
    EnvironmentRow, RunItemEnd, RunItemRow, RunItemState, RunRow, Scope, Tx, environments, jobs,
    runs,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::{self, JoinSet},
    time::{Instant, sleep_until},
};

/// How often jobs of other workers are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How soon an environment that was busy is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is said how far the run is.
const SAY: Duration = Duration::from_secs(1);

/// A run under way in this process.
pub(super) struct Course<'a> {
    fleet: &'a Fleet,
    ctx: &'a JobContext,
    run: RunRow,
    operation: Operation,
    kind: Arc<dyn JobKind>,
    keep_bytes: u64,
    at_once: usize,
    per_host: usize,
    rights: Rights,
    waiting: VecDeque<Waiting>,
    /// Use cases that look at their site before they begin a job: none waits for another's.
    beginning: JoinSet<Result<Begun>>,
    begun_by: HashMap<task::Id, Waiting>,
    running: HashMap<RunItemId, Running>,
    ended: u64,
    total: u64,
    told: mpsc::UnboundedSender<RunItemId>,
    news: mpsc::UnboundedReceiver<RunItemId>,
    said: Option<Instant>,
}

struct Waiting {
    item: RunItemRow,
    /// Since when something else was seen to write there.
    busy: Option<Instant>,
    /// When it is asked again.
    again: Option<Instant>,
}

struct Running {
    job: JobId,
    host: Option<HostId>,
    /// It is a part of ours, which tells its end, and holds a place among all commands.
    own: Option<OwnedSemaphorePermit>,
}

/// What asking an item to begin led to.
enum Begun {
    Part(Box<Part>, OwnedSemaphorePermit),
    Job(JobId),
    /// Something else writes there; its turn may come later.
    Busy,
    /// This process has enough commands under way.
    Full,
    /// It never will.
    Never(RunItemEnd),
}

impl<'a> Course<'a> {
    /// Where a run stands.
    pub(super) async fn of(fleet: &'a Fleet, ctx: &'a JobContext, run: RunRow) -> Result<Self> {
        let store = &fleet.parts.store;
        let tx = ctx.begin().await?;
        runs::take_up_begun(&tx, run.id, ctx.id()).await?;
        tx.commit().await?;
        let operation = serde_json::from_value(run.operation.clone()).map_err(Error::internal)?;
        let mut total = 0;
        let mut left = 0;
        for (state, count) in runs::counts(store, run.id, &Scope::All).await? {
            total += count;
            left += if state.is_final() { 0 } else { count };
        }
        let waiting = runs::items_in(store, run.id, RunItemState::Waiting).await?;
        let running = runs::items_in(store, run.id, RunItemState::Running).await?;
        let (told, news) = mpsc::unbounded_channel();
        Ok(Self {
            fleet,
            ctx,
            operation,
            kind: Arc::new(command::CommandJob(fleet.clone())),
            keep_bytes: command::keep_bytes(usize::try_from(total).unwrap_or(usize::MAX)),
            at_once: usize::try_from(run.at_once).unwrap_or(1).max(1),
            per_host: usize::try_from(run.per_host).unwrap_or(1).max(1),
            rights: Rights::of(run.requested_by, ctx.id()),
            run,
            beginning: JoinSet::new(),
            begun_by: HashMap::new(),
            waiting: waiting
                .into_iter()
                .map(|item| Waiting {
                    item,
                    busy: None,
                    again: None,
                })
                .collect(),
            running: running
                .into_iter()
                .filter_map(|item| {
                    let of_earlier = Running {
                        job: item.job_id?,
                        host: item.host_id,
                        own: None,
                    };
                    Some((item.id, of_earlier))
                })
                .collect(),
            ended: total - left,
            total,
            told,
            news,
            said: None,
        })
    }

    /// Until every item has ended, or the job is to stop.
    pub(super) async fn run(mut self) -> std::result::Result<(), JobFailure> {
        // What an earlier worker left is looked at first.
        let mut news: Vec<RunItemId> = self.running.keys().copied().collect();
        loop {
            self.ctx.check()?;
            let closing = self.ctx.closing().is_cancelled();
            let own = self.running.values().any(|item| item.own.is_some());
            if closing && !own && self.begun_by.is_empty() {
                return Err(self.ctx.leave());
            }
            self.turn(&news, closing).await?;
            self.say().await?;
            if self.running.is_empty() && self.waiting.is_empty() && self.begun_by.is_empty() {
                return Ok(());
            }
            news = self.wait(closing).await?;
        }
    }

    /// Ends what has ended, and begins what there is room for.
    async fn turn(&mut self, news: &[RunItemId], closing: bool) -> Result<()> {
        let mut ends = Vec::new();
        for id in news {
            let Some(item) = self.running.get(id) else {
                continue;
            };
            let job = jobs::get(&self.fleet.parts.store, item.job).await?;
            if let Some(end) = end::of_job(job.as_ref()) {
                ends.push((*id, end));
            }
        }
        for (id, _) in &ends {
            self.running.remove(id);
        }
        self.ended += ends.len() as u64;
        let mut parts = Vec::new();
        let tx = self.ctx.begin().await?;
        for (id, end) in &ends {
            runs::end_item(&tx, *id, end).await?;
        }
        while let (false, Some(at)) = (closing, self.next()) {
            let Some(next) = self.waiting.remove(at) else {
                break;
            };
            let row = environments::get(&tx, next.item.environment_id).await?;
            let permitted = self.rights.at(self.fleet, row, &self.operation).await?;
            let (caller, row) = match permitted {
                Ok(both) => both,
                Err(why) => {
                    let never = Begun::Never(skipped(why));
                    self.note(&tx, next, never, &mut parts).await?;
                    continue;
                }
            };
            if let Operation::Command(command) = &self.operation {
                let command = command.clone();
                let begun = self.begin_command(&tx, &next.item, &command, &caller, &row);
                let begun = begun.await?;
                self.note(&tx, next, begun, &mut parts).await?;
            } else {
                let (fleet, operation) = (self.fleet.clone(), self.operation.clone());
                let begun = self.beginning.spawn(async move {
                    match operation.begin(&fleet, &caller, row.id).await {
                        Ok(job) => Ok(Begun::Job(job.id)),
                        Err(error) => refused(error),
                    }
                });
                self.begun_by.insert(begun.id(), next);
            }
        }
        tx.commit().await?;
        for (id, part) in parts {
            self.set_going(id, part);
        }
        Ok(())
    }

    /// The first that may begin now: there is room in all and on its host, and it was not
    /// busy a moment ago.
    fn next(&self) -> Option<usize> {
        if self.running.len() + self.begun_by.len() >= self.at_once {
            return None;
        }
        let mut on_host: HashMap<Option<HostId>, usize> = HashMap::new();
        let running = self.running.values().map(|item| item.host);
        let beginning = self.begun_by.values().map(|waiting| waiting.item.host_id);
        for host in running.chain(beginning) {
            *on_host.entry(host).or_default() += 1;
        }
        let now = Instant::now();
        self.waiting.iter().position(|waiting| {
            let there = on_host.get(&waiting.item.host_id).copied().unwrap_or(0);
            there < self.per_host && waiting.again.is_none_or(|again| now >= again)
        })
    }

    /// Writes down what beginning an item led to.
    async fn note(
        &mut self,
        tx: &Tx,
        waiting: Waiting,
        begun: Begun,
        parts: &mut Vec<(RunItemId, Part)>,
    ) -> Result<()> {
        let Waiting { item, busy, .. } = waiting;
        let running = |job, own| Running {
            job,
            host: item.host_id,
            own,
        };
        match begun {
            Begun::Part(part, permit) => {
                runs::begin_item(tx, item.id, part.id()).await?;
                self.running
                    .insert(item.id, running(part.id(), Some(permit)));
                parts.push((item.id, *part));
            }
            Begun::Job(job) => {
                runs::begin_item(tx, item.id, job).await?;
                self.running.insert(item.id, running(job, None));
            }
            Begun::Never(end) => {
                runs::end_item(tx, item.id, &end).await?;
                self.ended += 1;
            }
            Begun::Full => self.waiting.push_front(Waiting {
                item,
                busy,
                again: Some(Instant::now() + AGAIN),
            }),
            Begun::Busy => {
                let now = Instant::now();
                let since = busy.unwrap_or(now);
                let most = Duration::from_millis(u64::try_from(self.run.wait_ms).unwrap_or(0));
                if since.elapsed() >= most {
                    let end = skipped("another operation was running there all the time");
                    runs::end_item(tx, item.id, &end).await?;
                    self.ended += 1;
                } else {
                    self.waiting.push_back(Waiting {
                        item,
                        busy: Some(since),
                        again: Some(now + AGAIN),
                    });
                }
            }
        }
        Ok(())
    }

    async fn begin_command(
        &self,
        tx: &Tx,
        item: &RunItemRow,
        command: &Command,
        caller: &Caller,
        row: &EnvironmentRow,
    ) -> Result<Begun> {
        let Ok(permit) = Arc::clone(&self.fleet.commands).try_acquire_owned() else {
            return Ok(Begun::Full);
        };
        let payload = command::Payload {
            item: item.id,
            command: command.clone(),
            keep_bytes: self.keep_bytes,
        };
        let job = if command.read_only {
            Enqueue::reading(command::KIND, row.account_id, Some(row.id), &payload)?
        } else {
            Enqueue::writing(command::KIND, row, &payload)?
        };
        let job = job.with_event(event::SITE_COMMAND_STARTED);
        match self.fleet.enqueue(tx, caller, job).await {
            Ok(id) => {
                let part = self.ctx.claim_part(tx, id).await?;
                Ok(Begun::Part(Box::new(part), permit))
            }
            Err(error) => refused(error),
        }
    }

    /// Sets a part going, and hears of its end.
    fn set_going(&self, id: RunItemId, part: Part) {
        let over = self.ctx.run_part(Arc::clone(&self.kind), part);
        let told = self.told.clone();
        tokio::spawn(async move {
            // Without an answer it is over as well.
            let _ = over.await;
            // The course may be over.
            let _ = told.send(id);
        });
    }

    /// Writes down what a use case led to.
    async fn has_begun(
        &mut self,
        ended: std::result::Result<(task::Id, Result<Begun>), task::JoinError>,
    ) -> Result<()> {
        let (id, begun) = match ended {
            Ok((id, begun)) => (id, begun?),
            // Whoever takes the run up finds the job, if there is one.
            Err(error) => return Err(Error::internal(error)),
        };
        let Some(waiting) = self.begun_by.remove(&id) else {
            return Ok(());
        };
        let tx = self.ctx.begin().await?;
        self.note(&tx, waiting, begun, &mut Vec::new()).await?;
        tx.commit().await.map_err(Error::from)
    }

    /// Waits for news, and says of which items.
    async fn wait(&mut self, closing: bool) -> Result<Vec<RunItemId>> {
        let now = Instant::now();
        let others = self.running.values().any(|item| item.own.is_none());
        let mut until = now + if others { LOOK } else { LOOK * 10 };
        for waiting in &self.waiting {
            // What was to be asked by now waits for room.
            if let Some(again) = waiting.again.filter(|again| *again > now) {
                until = until.min(again);
            }
        }
        let closing_now = self.ctx.closing().clone();
        let mut news = Vec::new();
        tokio::select! {
            Some(id) = self.news.recv() => news.push(id),
            Some(ended) = self.beginning.join_next_with_id() => self.has_begun(ended).await?,
            () = self.ctx.cancelled().cancelled() => {}
            () = closing_now.cancelled(), if !closing => {}
            () = sleep_until(until) => {
                // What tells its end by itself is looked at all the same now and then.
                news.extend(self.running.keys().copied());
            }
        }
        while let Ok(id) = self.news.try_recv() {
            news.push(id);
        }
        Ok(news)
    }

    async fn say(&mut self) -> std::result::Result<(), JobFailure> {
        let over = self.ended == self.total;
        if !over && self.said.is_some_and(|at| at.elapsed() < SAY) {
            return Ok(());
        }
        self.said = Some(Instant::now());
        let percent = self.ended * 100 / self.total.max(1);
        let message = format!("{} of {} sites", self.ended, self.total);
        let percent = u8::try_from(percent).unwrap_or(100);
        self.ctx.progress(percent, &message).await
    }
}

/// What a refusal to begin means for an item. Failures of our own are not the item's.
fn refused(error: Error) -> Result<Begun> {
    if is_busy(&error) {
        return Ok(Begun::Busy);
    }
    if error.kind() == Kind::Internal {
        return Err(error);
    }
    let why = end::with_hint(error.message().to_owned(), error.hint());
    Ok(Begun::Never(skipped(why)))
}

fn skipped(why: impl Into<String>) -> RunItemEnd {
    RunItemEnd::new(RunItemState::Skipped, why)
}
