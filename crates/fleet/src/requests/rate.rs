//! Rate windows that hold over all nodes.

use crate::{Error, Fleet, Result};
use pressroom_base::{Kind, Timestamp};
use pressroom_store::{RateStatus, rate};
use std::time::Duration;

/// The state of a window after a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Whether this request is within the limit.
    pub allowed: bool,
    /// The limit.
    pub limit: u32,
    /// Requests left in the window; never negative.
    pub remaining: u32,
    /// Unix seconds at which the window ends.
    pub reset_at: i64,
}

impl Rate {
    /// Refuses a request that is not within the limit of such a window: `Limited` with this
    /// message, and when it is worth another attempt.
    pub(crate) fn within(self, message: &str, window: Duration) -> Result<()> {
        if self.allowed {
            return Ok(());
        }
        let left = self.reset_at.saturating_sub(Timestamp::now().seconds());
        let left = Duration::from_secs(u64::try_from(left).unwrap_or(0).max(1)).min(window);
        let minutes = left.as_secs().div_ceil(60);
        Err(Error::new(Kind::Limited, message)
            .with_hint(format!("try again in {minutes} min"))
            .with_retry_after(left))
    }
}

impl Fleet {
    /// Counts one request against a fixed window opened by the key's first request;
    /// refused requests do not extend it.
    pub async fn hit_rate(&self, key: &str, limit: u32, window: Duration) -> Result<Rate> {
        Ok(view(
            rate::hit(&self.parts.store, key, limit, window).await?,
        ))
    }

    /// The window as it is, without counting.
    pub(crate) async fn peek_rate(&self, key: &str, limit: u32, window: Duration) -> Result<Rate> {
        Ok(view(
            rate::peek(&self.parts.store, key, limit, window).await?,
        ))
    }
}

fn view(status: RateStatus) -> Rate {
    Rate {
        allowed: status.allowed,
        limit: status.limit,
        remaining: status.remaining,
        // The first whole second at which it is over.
        reset_at: status.ends_at.plus(Duration::from_millis(999)).seconds(),
    }
}
