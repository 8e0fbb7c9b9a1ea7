//! Changes of what is served, while they wait for who changes the stack just now.

use super::{Network, WebSite};
use crate::hosting::Result;
use std::{collections::BTreeSet, sync::Mutex};
use tokio::sync::oneshot;

/// One domain's change.
#[derive(Debug, Clone)]
pub enum Change {
    /// Serve it like this.
    Serve(Box<WebSite>),
    /// Serve what it is served as now, but this directory's WordPress with these.
    Network(String, String, Option<Network>),
    /// Serve what it is served as now, but this directory's WordPress protected or not.
    Protected(String, String, bool),
    /// Serve it no longer.
    Remove(String),
    /// Serve it no longer for now: its port and its access logs stay its own.
    Pause(String),
}

impl Change {
    pub(super) fn domain(&self) -> &str {
        match self {
            Self::Serve(site) => &site.domain,
            Self::Remove(domain)
            | Self::Pause(domain)
            | Self::Network(domain, ..)
            | Self::Protected(domain, ..) => domain,
        }
    }
}

/// Whether there was something before.
pub(super) type Outcome = Result<bool>;

/// Changes that wait for their turn.
#[derive(Debug, Default)]
pub struct Queue(Mutex<Vec<Waiting>>);

#[derive(Debug)]
pub(super) struct Waiting {
    pub change: Change,
    pub answer: oneshot::Sender<Outcome>,
}

impl Queue {
    pub(super) fn push(&self, change: Change) -> oneshot::Receiver<Outcome> {
        let (answer, outcome) = oneshot::channel();
        self.lock().push(Waiting { change, answer });
        outcome
    }

    /// What waits, without what nobody waits for any more, and each domain once: a
    /// second change of one domain has to come after the first.
    pub(super) fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.lock();
        waiting.retain(|waiting| !waiting.answer.is_closed());
        let mut seen = BTreeSet::new();
        let (now, later) = std::mem::take(&mut *waiting)
            .into_iter()
            .partition(|waiting| seen.insert(waiting.change.domain().to_owned()));
        *waiting = later;
        now
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_in_a_batch_once_and_nobody_who_left_is() {
        let queue = Queue::default();
        let first = queue.push(Change::Remove("a.example".into()));
        let second = queue.push(Change::Remove("a.example".into()));
        let gone = queue.push(Change::Remove("b.example".into()));
        drop(gone);
        assert_eq!(queue.take().len(), 1);
        assert_eq!(queue.take().len(), 1);
        assert!(queue.take().is_empty());
        drop((first, second));
    }
}
