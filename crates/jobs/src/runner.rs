//! The worker loop: claims jobs while there is room, and lets go of them in order
//! when the process ends.

use crate::{Registry, RunnerConfig, context::Worker, execute::Execution};
use pressroom_base::id::JobId;
use pressroom_store::{
    Error, Signal, Store,
    jobs::{orphans, queue},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        broadcast::{Receiver, error::RecvError, error::TryRecvError},
    },
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Runs jobs.
pub struct Runner {
    store: Store,
    registry: Registry,
    config: RunnerConfig,
}

impl Runner {
    /// A runner of these kinds.
    pub fn new(store: Store, registry: Registry, config: RunnerConfig) -> Self {
        Self {
            store,
            registry,
            config,
        }
    }

    /// Runs jobs until `shutdown` fires and those that run are over or given back.
    pub async fn run(self, shutdown: CancellationToken) {
        let worker = Worker {
            config: self.config.clone(),
            closing: shutdown.clone(),
            drained: CancellationToken::new(),
            tracker: TaskTracker::new(),
        };
        let listener = tokio::spawn(listen(self.store.clone(), self.config.poll));
        let room = Arc::new(Semaphore::new(self.config.concurrency));
        let mut signals = self.store.signals();
        let mut swept = None;
        loop {
            let permit = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                permit = Arc::clone(&room).acquire_owned() => permit,
            };
            let Ok(permit) = permit else { break };
            if swept.is_none_or(|at: Instant| at.elapsed() >= self.config.lease) {
                swept = Some(Instant::now());
                self.sweep().await;
            }
            // Calls that come from here on are heard below.
            forget(&mut signals);
            if !self.claim(permit, &worker).await {
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = called(&mut signals) => {}
                    () = tokio::time::sleep(self.config.poll) => {}
                }
            }
        }
        listener.abort();
        worker.tracker.close();
        if tokio::time::timeout(self.config.drain, worker.tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!("jobs still run after the time to drain; they are given back");
            worker.drained.cancel();
            worker.tracker.wait().await;
        }
    }

    /// Claims a job and sets it going; says whether there was one.
    async fn claim(&self, permit: OwnedSemaphorePermit, worker: &Worker) -> bool {
        let claimed = Instant::now();
        let config = &self.config;
        let kinds = self.registry.names();
        let row = match queue::claim(&self.store, &kinds, &config.holder, config.lease).await {
            Ok(Some(row)) => row,
            Ok(None) => return false,
            Err(error) => {
                tracing::error!(%error, "cannot claim a job");
                return false;
            }
        };
        let Some(kind) = self.registry.get(&row.kind) else {
            tracing::error!(job.id = %row.id, "job {} is of no known kind", row.id);
            return false;
        };
        let execution = Execution {
            store: self.store.clone(),
            kind,
            worker: worker.clone(),
        };
        worker.tracker.spawn(async move {
            execution.run(row, claimed).await;
            drop(permit);
        });
        true
    }

    /// Gives up jobs whose workers keep dying.
    async fn sweep(&self) {
        let lost = match orphans::lost(&self.store, &self.registry.names()).await {
            Ok(lost) => lost,
            Err(error) => {
                tracing::error!(%error, "cannot look for jobs to give up");
                return;
            }
        };
        for id in lost {
            match self.bury(id).await {
                Ok(false) => {}
                Ok(true) => {
                    tracing::error!(job.id = %id, "gave up job {id}: its workers keep dying");
                }
                Err(error) => tracing::error!(job.id = %id, %error, "cannot give up job {id}"),
            }
        }
    }

    async fn bury(&self, id: JobId) -> Result<bool, Error> {
        let tx = self.store.begin().await?;
        let Some(row) = orphans::bury(&tx, id).await? else {
            return Ok(false);
        };
        if let Some(kind) = self.registry.get(&row.kind)
            && let Some(hint) = kind.given_up(&tx, &row).await?
        {
            queue::advise(&tx, id, &hint).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Passes other processes' calls on, as long as the database lets us listen.
async fn listen(store: Store, pause: Duration) {
    loop {
        if let Err(error) = store.listen().await {
            tracing::warn!(%error, "cannot listen for other processes; polling goes on");
        }
        tokio::time::sleep(pause).await;
    }
}

fn forget(signals: &mut Receiver<Signal>) {
    while !matches!(
        signals.try_recv(),
        Err(TryRecvError::Empty | TryRecvError::Closed)
    ) {}
}

/// Waits until somebody says that there may be a job.
async fn called(signals: &mut Receiver<Signal>) {
    loop {
        match signals.recv().await {
            Ok(Signal::Queued) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
