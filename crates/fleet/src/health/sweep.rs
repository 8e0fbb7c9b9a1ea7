//! Forgetting looks (contract `wporchestrix.md` W11): all are kept for two days, then one
//! an hour; those that did not pass or were unlike the one before for ninety days.

use crate::{Fleet, Result};
use pressroom_store::health;
use std::time::Duration;

const FULL: Duration = Duration::from_hours(48);
const LAST: Duration = Duration::from_hours(90 * 24);
/// Batches of one round: what is left waits for the next.
const BATCHES: usize = 50;

impl Fleet {
    /// Removes looks that are old enough, a batch per transaction so that others have
    /// their turn between.
    pub async fn sweep_health_checks(&self) -> Result<()> {
        for _ in 0..BATCHES {
            let tx = self.parts.store.begin().await?;
            let more = health::sweep(&tx, FULL, LAST).await?;
            tx.commit().await?;
            if !more {
                break;
            }
        }
        Ok(())
    }
}
