//! The fence that keeps a worker which lost its lease from writing.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Rises by one each time a job is claimed; every later write carries it, and
/// whoever holds a higher one has seen this worker declared dead.
///
/// A site compares the epochs of *different* jobs too, so the number a site sees
/// must rise over all jobs of the fleet: it is drawn from one sequence in the
/// store, not counted per job.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(i64);

impl Epoch {
    /// Below every epoch a claim hands out.
    pub const ZERO: Self = Self(0);

    /// The epoch with this number.
    pub const fn new(epoch: i64) -> Self {
        Self(epoch)
    }

    /// The number, as stored.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
