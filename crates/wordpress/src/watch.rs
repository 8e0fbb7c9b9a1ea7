//! When to stop: a deadline and a cancel flag that every long loop looks at.

use crate::{Error, Result};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// A deadline and a cancel flag. Clones share the flag.
#[derive(Debug, Clone)]
pub struct Watch {
    deadline: Option<Instant>,
    cancelled: Arc<AtomicBool>,
}

impl Watch {
    /// Gives up after `limit`, or as soon as `cancelled` is set.
    pub fn new(limit: Duration, cancelled: Arc<AtomicBool>) -> Self {
        Self {
            // An absurdly long limit is no limit.
            deadline: Instant::now().checked_add(limit),
            cancelled,
        }
    }

    /// Gives up after `limit`; cancelled only through [`Watch::cancel`].
    pub fn lasting(limit: Duration) -> Self {
        Self::new(limit, Arc::default())
    }

    /// Gives up with this one, or after `limit` if that is sooner.
    pub(crate) fn within(&self, limit: Duration) -> Self {
        let limit = self.remaining().map_or(limit, |left| left.min(limit));
        Self::new(limit, Arc::clone(&self.cancelled))
    }

    /// Never gives up by itself.
    pub fn unbounded() -> Self {
        Self {
            deadline: None,
            cancelled: Arc::default(),
        }
    }

    /// Fails once the caller withdrew or the deadline passed.
    pub fn check(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        if self.deadline.is_some_and(|at| Instant::now() >= at) {
            return Err(Error::Deadline);
        }
        Ok(())
    }

    /// The time left, `None` without a deadline.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline
            .map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Asks all clones to give up.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}
