//! Following a job from outside: whoever shows one, in a browser or a terminal.

use futures_util::{Stream, stream};
use pressroom_base::id::JobId;
use pressroom_store::{JobRow, OutputRow, Result, Signal, StepRow, Store, jobs};
use std::time::Duration;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

/// How soon to look again while things happen, and when nothing does.
const SOON: Duration = Duration::from_millis(250);
const LATE: Duration = Duration::from_secs(1);
/// Pieces of output per update.
const PIECES: u64 = 64;

/// A job as it stands, with what it has written since the last update.
#[derive(Debug, Clone, PartialEq)]
pub struct JobUpdate {
    /// The job.
    pub job: JobRow,
    /// Its steps.
    pub steps: Vec<StepRow>,
    /// New output.
    pub output: Vec<OutputRow>,
}

/// Follows a job from the beginning of its output. The first update comes at once,
/// others when something changed; the stream ends after the one that shows the
/// job's end and the last of its output, and at once for a job that is not there.
pub fn watch(store: &Store, job: JobId) -> impl Stream<Item = JobUpdate> + Send + use<> {
    watch_after(store, job, 0)
}

/// As [`watch`], leaving out the output up to piece `seq`, which was seen before.
pub fn watch_after(
    store: &Store,
    job: JobId,
    seq: i32,
) -> impl Stream<Item = JobUpdate> + Send + use<> {
    let state = Watch {
        signals: store.signals(),
        store: store.clone(),
        job,
        seq,
        last: None,
        pause: SOON,
        over: false,
    };
    stream::unfold(state, |mut state| async move {
        let update = state.next().await?;
        Some((update, state))
    })
}

struct Watch {
    store: Store,
    signals: Receiver<Signal>,
    job: JobId,
    seq: i32,
    last: Option<(JobRow, Vec<StepRow>)>,
    pause: Duration,
    over: bool,
}

impl Watch {
    async fn next(&mut self) -> Option<JobUpdate> {
        if self.over {
            return None;
        }
        loop {
            match self.look().await {
                Ok(None) => return None,
                Ok(Some(update)) => {
                    let full = update.output.len() as u64 == PIECES;
                    self.over = update.job.state.is_final() && !full;
                    if self.is_news(&update) || self.over {
                        self.pause = SOON;
                        self.remember(&update);
                        return Some(update);
                    }
                }
                Err(error) => {
                    tracing::warn!(job.id = %self.job, %error, "cannot look at job {}", self.job);
                }
            }
            self.wait().await;
        }
    }

    async fn look(&self) -> Result<Option<JobUpdate>> {
        // The job first: output that comes later belongs to a later look, and a job
        // seen to be over has written all it will.
        let Some(job) = jobs::get(&self.store, self.job).await? else {
            return Ok(None);
        };
        Ok(Some(JobUpdate {
            job,
            steps: jobs::steps(&self.store, self.job).await?,
            output: jobs::output_after(&self.store, self.job, self.seq, PIECES).await?,
        }))
    }

    /// A lease that was renewed is no news.
    fn is_news(&self, update: &JobUpdate) -> bool {
        let Some((job, steps)) = &self.last else {
            return true;
        };
        let mut quiet = update.job.clone();
        quiet.lease_until = job.lease_until;
        !update.output.is_empty() || quiet != *job || update.steps != *steps
    }

    fn remember(&mut self, update: &JobUpdate) {
        if let Some(piece) = update.output.last() {
            self.seq = piece.seq;
        }
        self.last = Some((update.job.clone(), update.steps.clone()));
    }

    /// Until this job is heard of or it is time to look anyway.
    async fn wait(&mut self) {
        let heard = async {
            loop {
                match self.signals.recv().await {
                    Ok(Signal::Job(id) | Signal::Output(id)) if id == self.job => return,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        if timeout(self.pause, heard).await.is_err() {
            self.pause = (self.pause * 2).min(LATE);
        }
    }
}
