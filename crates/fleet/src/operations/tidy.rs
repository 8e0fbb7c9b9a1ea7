//! What has to be done from time to time so that nothing grows for ever.

use crate::{Fleet, Result};
use pressroom_jobs::SECRET_LASTS;
use pressroom_store::{
    deliveries, events, families, idempotency, invitations, jobs, links, mails, password_resets,
    pipelines, rate, runs, sessions, webhooks,
};
use std::time::Duration;

/// Events handed over in one transaction.
const BATCH: u64 = 200;
/// Packages of no more use are kept this long: longer than any job that may use one.
const PACKAGES_LAST: Duration = Duration::from_hours(24);
/// Events are kept this long once everybody has had them.
const EVENTS_LAST: Duration = Duration::from_hours(30 * 24);
/// Webhooks that were delivered are kept this long.
const DELIVERED_LAST: Duration = Duration::from_hours(30 * 24);
/// Those that were given up are kept longer: somebody may want them sent again.
const GIVEN_UP_LAST: Duration = Duration::from_hours(90 * 24);
/// Mails are kept this long after their end.
const MAILS_LAST: Duration = Duration::from_hours(30 * 24);
/// Invitations are kept this long after their time.
const INVITATIONS_LAST: Duration = Duration::from_hours(30 * 24);
/// Jobs are kept this long after their end, with their output.
const JOBS_LAST: Duration = Duration::from_hours(90 * 24);
/// Pipelines are kept this long after their end: what was updated when is asked for longest.
const PIPELINES_LAST: Duration = Duration::from_hours(400 * 24);
/// Tokens are judged by one clock and forgotten by another.
const CLOCKS_DIFFER: Duration = Duration::from_hours(1);
/// No rate window is longer than this.
const LONGEST_WINDOW: Duration = Duration::from_hours(24);

impl Fleet {
    /// Hands waiting events to the activity log; says how many.
    pub async fn deliver_events(&self) -> Result<usize> {
        let mut delivered = 0;
        loop {
            let batch =
                deliveries::deliver_pending(&self.parts.store, events::ACTIVITY, BATCH).await?;
            if batch == 0 {
                return Ok(delivered);
            }
            delivered += batch;
        }
    }

    /// Forgets what has lapsed: sessions, kept answers, rate windows, used links,
    /// secrets that nobody fetched, events that everybody has had, webhooks that are over. Has
    /// sites be looked for that wait to be connected, and removes packages
    /// of no more use, and the Redis users of sites that are gone.
    pub async fn tidy(&self) -> Result<()> {
        let tx = self.parts.store.begin().await?;
        sessions::prune(&tx).await?;
        idempotency::prune(&tx).await?;
        rate::prune(&tx, LONGEST_WINDOW).await?;
        links::prune(&tx).await?;
        families::prune(&tx, CLOCKS_DIFFER).await?;
        jobs::record::drop_secrets(&tx, SECRET_LASTS).await?;
        events::prune(&tx, EVENTS_LAST).await?;
        webhooks::deliveries::give_up_stranded(&tx, "the endpoint was switched off").await?;
        webhooks::deliveries::prune(&tx, DELIVERED_LAST, GIVEN_UP_LAST).await?;
        mails::prune(&tx, MAILS_LAST).await?;
        invitations::prune(&tx, INVITATIONS_LAST).await?;
        password_resets::prune(&tx).await?;
        jobs::queue::prune(&tx, JOBS_LAST).await?;
        runs::prune(&tx, JOBS_LAST).await?;
        pipelines::prune(&tx, PIPELINES_LAST).await?;
        tx.commit().await?;
        self.attend_to_sites().await?;
        let pruned = self.parts.packages.prune(PACKAGES_LAST).await;
        if let Err(error) = pruned {
            tracing::warn!(%error, "packages of no more use are not removed yet");
        }
        if let Err(error) = self.sweep_pictures().await {
            tracing::warn!(%error, "pictures of no more use are not removed yet");
        }
        if let Err(error) = self.sweep_objects().await {
            tracing::warn!(%error, "Redis users of sites that are gone were not removed");
        }
        Ok(())
    }
}
