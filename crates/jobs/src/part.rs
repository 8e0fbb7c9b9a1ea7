//! A part of a job that is a job of its own, carried out by the same worker at once.
//!
//! It never waits in the queue, so that a job which has thousands of parts decides itself
//! how many are under way. Everything else is as with any job: a lease and an epoch of its
//! own, a successor who finds it interrupted, a wish to cancel that reaches it.

use crate::{JobContext, JobFailure, JobKind, JobRow, execute::Execution};
use pressroom_base::id::JobId;
use pressroom_store::{Tx, jobs::queue};
use std::sync::Arc;
use tokio::{sync::oneshot, time::Instant};

/// A part that is this worker's once its transaction is committed. It must be run then:
/// otherwise its lease lapses, and it ends interrupted.
#[must_use = "a part that was claimed must be run"]
pub struct Part {
    row: JobRow,
    claimed: Instant,
}

impl Part {
    /// The part's job.
    pub const fn id(&self) -> JobId {
        self.row.id
    }
}

impl JobContext {
    /// Claims for this worker a job that `tx` has queued. Nothing else may write to its
    /// environment: whoever queues it has made sure of that in `tx`.
    pub async fn claim_part(&self, tx: &Tx, id: JobId) -> Result<Part, JobFailure> {
        let config = &self.worker().config;
        let claimed = Instant::now();
        let row = queue::claim_queued(tx, id, &config.holder, config.lease).await?;
        Ok(Part { row, claimed })
    }

    /// Sets a part going beside this job, which it may outlive. What is returned answers
    /// once its end is written, or there is none to be written by this worker.
    pub fn run_part(&self, kind: Arc<dyn JobKind>, part: Part) -> oneshot::Receiver<()> {
        let execution = Execution {
            store: self.store().clone(),
            kind,
            worker: self.worker().clone(),
        };
        let (tell, told) = oneshot::channel();
        self.worker().tracker.spawn(async move {
            execution.run(part.row, part.claimed).await;
            // Nobody may wait for it any more.
            let _ = tell.send(());
        });
        told
    }
}
