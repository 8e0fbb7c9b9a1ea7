//! The course of a run: begins what may be begun, writes down what has ended, and waits.

use super::{Command, Operation, command, end, operation::is_busy, rights::Rights};
use crate::{Caller, Error, Fleet, Result, jobs::Enqueue, reach::Shared};
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
/// How often what went wrong is tried again, before the item has failed.
const FAILURES: u8 = 3;
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
    beginning: JoinSet<Begun>,
    beginnings: HashMap<task::Id, Beginning>,
    running: HashMap<RunItemId, Running>,
    /// Until when nothing is begun: this process has enough commands under way.
    full: Option<Instant>,
    /// When jobs of other workers were looked at last.
    looked: Instant,
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
    /// How often it could not be begun through no fault of its own, as far as it was seen.
    failures: u8,
}

/// An item that a use case looks at.
struct Beginning {
    waiting: Waiting,
    place: Option<Shared>,
}

struct Running {
    job: JobId,
    host: Option<HostId>,
    /// Where it writes, when this worker began it.
    place: Option<Shared>,
    /// It is a part of ours, which tells its end, and holds a place among all commands.
    own: Option<OwnedSemaphorePermit>,
}

/// What asking an item to begin led to.
enum Begun {
    Job(JobId),
    /// Something else writes there; its turn may come later.
    Busy,
    /// Another of this run writes there; its turn comes.
    After,
    /// Something went wrong that is not told by the site.
    Failed(Error),
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
            rights: Rights::of(run.requested_by, (ctx.id(), ctx.epoch())),
            run,
            beginning: JoinSet::new(),
            beginnings: HashMap::new(),
            waiting: waiting
                .into_iter()
                .map(|item| Waiting {
                    item,
                    busy: None,
                    again: None,
                    failures: 0,
                })
                .collect(),
            running: running
                .into_iter()
                .filter_map(|item| {
                    let of_earlier = Running {
                        job: item.job_id?,
                        host: item.host_id,
                        place: None,
                        own: None,
                    };
                    Some((item.id, of_earlier))
                })
                .collect(),
            full: None,
            looked: Instant::now(),
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
            if closing && !own && self.beginnings.is_empty() {
                return Err(self.ctx.leave());
            }
            self.turn(&news, closing).await?;
            self.say().await?;
            if self.running.is_empty() && self.waiting.is_empty() && self.beginnings.is_empty() {
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
        if !ends.is_empty() {
            let tx = self.ctx.begin().await?;
            for (id, end) in &ends {
                runs::end_item(&tx, *id, end).await?;
            }
            tx.commit().await?;
        }
        while let (false, Some(at)) = (closing, self.next()) {
            let Some(next) = self.waiting.remove(at) else {
                break;
            };
            self.begin(next).await?;
        }
        Ok(())
    }

    /// Begins an item, or learns why not. Each in a transaction of its own: whatever locks
    /// it takes hold nobody else up.
    async fn begin(&mut self, next: Waiting) -> Result<()> {
        let row = environments::get(&self.fleet.parts.store, next.item.environment_id).await?;
        let permitted = self.rights.at(self.fleet, row, &self.operation).await?;
        let (caller, row) = match permitted {
            Ok(both) => both,
            Err(why) => {
                let never = Begun::Never(RunItemEnd::new(RunItemState::Skipped, why));
                return self.note(next, None, never).await;
            }
        };
        let place = self.operation.writes().then(|| Shared::of(&row)).flatten();
        if place.is_some() && self.is_ours(place.as_ref()) {
            return self.note(next, None, Begun::After).await;
        }
        let Operation::Command(command) = &self.operation else {
            let (fleet, operation) = (self.fleet.clone(), self.operation.clone());
            let begun = self.beginning.spawn(async move {
                match operation.begin(&fleet, &caller, row.id).await {
                    Ok(job) => Begun::Job(job.id),
                    Err(error) => refused(error),
                }
            });
            let waiting = next;
            self.beginnings
                .insert(begun.id(), Beginning { waiting, place });
            return Ok(());
        };
        let Ok(permit) = Arc::clone(&self.fleet.commands).try_acquire_owned() else {
            self.full = Some(Instant::now() + AGAIN);
            self.waiting.push_front(next);
            return Ok(());
        };
        let tx = self.ctx.begin().await?;
        match self
            .claim_command(&tx, &next.item, command, &caller, &row)
            .await
        {
            Ok(part) => {
                runs::begin_item(&tx, next.item.id, part.id()).await?;
                tx.commit().await?;
                let running = Running {
                    job: part.id(),
                    host: next.item.host_id,
                    place,
                    own: Some(permit),
                };
                self.running.insert(next.item.id, running);
                self.set_going(next.item.id, part);
                Ok(())
            }
            Err(error) if error.kind() == Kind::Internal => Err(error),
            Err(error) => {
                tx.rollback().await?;
                self.note(next, None, refused(error)).await
            }
        }
    }

    /// Whether an item that is under way writes there.
    fn is_ours(&self, place: Option<&Shared>) -> bool {
        let running = self.running.values().map(|item| &item.place);
        let beginning = self.beginnings.values().map(|item| &item.place);
        running.chain(beginning).any(|ours| ours.as_ref() == place)
    }

    /// The first that may begin now: there is room in all and on its host, and it was not
    /// busy a moment ago.
    fn next(&self) -> Option<usize> {
        let now = Instant::now();
        let full = self.full.is_some_and(|until| now < until);
        if full || self.running.len() + self.beginnings.len() >= self.at_once {
            return None;
        }
        let mut on_host: HashMap<Option<HostId>, usize> = HashMap::new();
        let running = self.running.values().map(|item| item.host);
        let beginning = self.beginnings.values();
        let beginning = beginning.map(|beginning| beginning.waiting.item.host_id);
        for host in running.chain(beginning) {
            *on_host.entry(host).or_default() += 1;
        }
        self.waiting.iter().position(|waiting| {
            let there = on_host.get(&waiting.item.host_id).copied().unwrap_or(0);
            there < self.per_host && waiting.again.is_none_or(|again| now >= again)
        })
    }

    /// Writes down what beginning an item led to.
    async fn note(
        &mut self,
        mut waiting: Waiting,
        place: Option<Shared>,
        begun: Begun,
    ) -> Result<()> {
        let now = Instant::now();
        let end = match begun {
            Begun::Job(job) => {
                let tx = self.ctx.begin().await?;
                runs::begin_item(&tx, waiting.item.id, job).await?;
                tx.commit().await?;
                let running = Running {
                    job,
                    host: waiting.item.host_id,
                    place,
                    own: None,
                };
                self.running.insert(waiting.item.id, running);
                return Ok(());
            }
            Begun::Never(end) => end,
            Begun::Failed(error) => {
                tracing::error!(%error, "an item of {} cannot be begun", self.run.public_id);
                waiting.failures += 1;
                if waiting.failures < FAILURES {
                    waiting.again = Some(now + AGAIN);
                    self.waiting.push_back(waiting);
                    return Ok(());
                }
                RunItemEnd::new(RunItemState::Failed, error.message())
            }
            Begun::After => {
                waiting.again = Some(now + AGAIN);
                self.waiting.push_back(waiting);
                return Ok(());
            }
            Begun::Busy => {
                let since = waiting.busy.unwrap_or(now);
                let most = Duration::from_millis(u64::try_from(self.run.wait_ms).unwrap_or(0));
                if since.elapsed() < most {
                    waiting.busy = Some(since);
                    waiting.again = Some(now + AGAIN);
                    self.waiting.push_back(waiting);
                    return Ok(());
                }
                let why = "another operation was running there all the time";
                RunItemEnd::new(RunItemState::Skipped, why)
            }
        };
        let tx = self.ctx.begin().await?;
        runs::end_item(&tx, waiting.item.id, &end).await?;
        tx.commit().await?;
        self.ended += 1;
        Ok(())
    }

    async fn claim_command(
        &self,
        tx: &Tx,
        item: &RunItemRow,
        command: &Command,
        caller: &Caller,
        row: &EnvironmentRow,
    ) -> Result<Part> {
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
        let id = self.fleet.enqueue(tx, caller, job).await?;
        Ok(self.ctx.claim_part(tx, id).await?)
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
        ended: std::result::Result<(task::Id, Begun), task::JoinError>,
    ) -> Result<()> {
        let (id, begun) = match ended {
            Ok(both) => both,
            Err(error) => (error.id(), Begun::Failed(Error::internal(error))),
        };
        match self.beginnings.remove(&id) {
            Some(Beginning { waiting, place }) => self.note(waiting, place, begun).await,
            None => Ok(()),
        }
    }

    /// Waits for news, and says of which items.
    async fn wait(&mut self, closing: bool) -> Result<Vec<RunItemId>> {
        let now = Instant::now();
        let others = self.running.values().any(|item| item.own.is_none());
        // What tells its end by itself is looked at all the same now and then.
        let look = self.looked + if others { LOOK } else { LOOK * 10 };
        let mut until = look;
        // What was to be asked by now waits for room.
        let again = self.waiting.iter().filter_map(|waiting| waiting.again);
        for again in again.chain(self.full).filter(|again| *again > now) {
            until = until.min(again);
        }
        let closing_now = self.ctx.closing().clone();
        let mut news = Vec::new();
        tokio::select! {
            Some(id) = self.news.recv() => news.push(id),
            Some(ended) = self.beginning.join_next_with_id() => self.has_begun(ended).await?,
            () = self.ctx.cancelled().cancelled() => {}
            () = closing_now.cancelled(), if !closing => {}
            () = sleep_until(until) => {}
        }
        while let Ok(id) = self.news.try_recv() {
            news.push(id);
        }
        if Instant::now() >= look {
            self.looked = Instant::now();
            news.extend(self.running.keys().copied());
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

/// What a refusal to begin means for an item.
fn refused(error: Error) -> Begun {
    if is_busy(&error) {
        return Begun::Busy;
    }
    if error.kind() == Kind::Internal {
        return Begun::Failed(error);
    }
    let why = end::with_hint(error.message().to_owned(), error.hint());
    Begun::Never(RunItemEnd::new(RunItemState::Skipped, why))
}
