//! From when on a site counts as slow.

use crate::{Caller, Error, Fleet, Result, authorize::Action};
use pressroom_base::id::EnvironmentId;
use pressroom_store::health;

/// What a site may be told to take, in milliseconds.
const BOUNDS: std::ops::RangeInclusive<u64> = 100..=60_000;

impl Fleet {
    /// Says from when on a site counts as slow; `None` leaves it to the configuration.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Invalid` beyond 100 ms and a minute.
    pub async fn limit_response_time(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        slow_ms: Option<u64>,
    ) -> Result<()> {
        let row = self
            .environment_row(caller, Action::SiteConfigure, environment)
            .await?
            .env;
        if slow_ms.is_some_and(|ms| !BOUNDS.contains(&ms)) {
            return Err(Error::invalid("a limit is from 100 to 60000 ms"));
        }
        let tx = self.parts.store.begin().await?;
        health::set_slow_ms(&tx, row.site_id, slow_ms).await?;
        tx.commit().await?;
        Ok(())
    }
}
