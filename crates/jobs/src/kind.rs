//! What a job kind is, and the list of those this process can run.

use crate::{JobContext, JobFailure, JobRow, Lane, RetryPolicy};
use pressroom_store::Tx;
use std::sync::Arc;

/// What becomes of a job whose worker was lost or stopped in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// It is undone and ends failed, "Interrupted".
    Undo,
    /// It runs again and finds its steps in [`JobContext::steps`]; it decides by
    /// looking what is left to do.
    Resume,
}

/// The code behind one kind of job.
///
/// `run` and `undo` may be called again after any interruption, at any line, and
/// must look before they act. Both should return soon after
/// [`JobContext::cancelled`] fires.
#[async_trait::async_trait]
pub trait JobKind: Send + Sync + 'static {
    /// The name in the queue.
    fn name(&self) -> &'static str;

    /// Whether its jobs change their environment: unless it says otherwise, they do, and
    /// run alone there.
    fn lane(&self) -> Lane {
        Lane::Write
    }

    /// Which failures are tried again: unless it says otherwise, none.
    fn retry(&self) -> RetryPolicy {
        RetryPolicy::never()
    }

    /// What becomes of an interrupted job.
    fn interruption(&self) -> Interruption;

    /// Whether asking for the job writes something already, e.g. a site's state. One
    /// that is cancelled before any worker had it is then undone as well.
    fn undo_unbegun(&self) -> bool {
        false
    }

    /// The step that cannot be taken back: once it is begun, a wish to cancel comes too
    /// late and the job goes on to its end.
    fn last_step(&self) -> Option<&'static str> {
        None
    }

    /// Does the work and gives its result, for people and programs; no secrets
    /// (those go to [`JobContext::keep_secret`]).
    async fn run(&self, ctx: &JobContext) -> Result<serde_json::Value, JobFailure>;

    /// Takes back whatever `run` may have done. Called before a job ends in any
    /// state but completed, if it ever ran or is [`JobKind::undo_unbegun`]. A failure
    /// is tried again later.
    async fn undo(&self, ctx: &JobContext, why: &JobFailure) -> Result<(), JobFailure> {
        let _ = (ctx, why);
        Ok(())
    }

    /// The job is given up although its effects are still there: undoing never worked,
    /// or each worker was lost. Written in the transaction that ends it, so that no
    /// record goes on to say that somebody is at work. Gives what a person can do, if
    /// there is something; it becomes the job's hint.
    async fn given_up(
        &self,
        tx: &Tx,
        job: &JobRow,
    ) -> Result<Option<String>, pressroom_store::Error> {
        let _ = (tx, job);
        Ok(None)
    }
}

/// The kinds this process can run; it claims no others.
#[derive(Clone, Default)]
pub struct Registry {
    kinds: Vec<Arc<dyn JobKind>>,
}

impl Registry {
    /// No kinds yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind.
    ///
    /// # Panics
    /// When a kind of that name is there already: a mistake in the list.
    #[must_use]
    pub fn with(mut self, kind: impl JobKind) -> Self {
        assert!(
            self.get(kind.name()).is_none(),
            "the job kind `{}` is registered twice",
            kind.name()
        );
        self.kinds.push(Arc::new(kind));
        self
    }

    /// These kinds and those of another list.
    ///
    /// # Panics
    /// When a name is in both: a mistake in the lists.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for kind in other.kinds {
            assert!(
                self.get(kind.name()).is_none(),
                "the job kind `{}` is registered twice",
                kind.name()
            );
            self.kinds.push(kind);
        }
        self
    }

    /// The kind of this name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn JobKind>> {
        self.kinds
            .iter()
            .find(|kind| kind.name() == name)
            .map(Arc::clone)
    }

    /// All names.
    pub fn names(&self) -> Vec<&'static str> {
        self.kinds.iter().map(|kind| kind.name()).collect()
    }
}
