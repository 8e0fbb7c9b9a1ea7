//! How much an account may keep.

use crate::{Archive, Error, Result};
use futures_util::TryStreamExt;
use pressroom_base::id::AccountId;

/// What an account keeps, as the store lists it: everything below its prefix, also
/// what has no manifest (yet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes.
    pub bytes: u64,
    /// Objects, manifests among them.
    pub objects: u64,
}

/// What an account keeps, counted in the store. A listing of everything: for a check
/// now and then, not for each request.
pub async fn usage(archive: &Archive, account: AccountId) -> Result<Usage> {
    let below = crate::snapshot::account_key(account)?;
    archive
        .objects()
        .list(&below, None)
        .await?
        .try_fold(Usage::default(), async |usage, object| {
            Ok(Usage {
                bytes: usage.bytes.saturating_add(object.size),
                objects: usage.objects + 1,
            })
        })
        .await
}

/// How many bytes the next snapshot may have: `None` without a limit. Refused when
/// nothing is left, or less than is expected. `used` counts what is kept and what other
/// writers were promised; asking and recording the promise belong into one transaction.
pub const fn reserve(limit: Option<u64>, used: u64, expected: u64) -> Result<Option<u64>> {
    let Some(limit) = limit else {
        return Ok(None);
    };
    let left = limit.saturating_sub(used);
    if left == 0 || expected > left {
        return Err(Error::OverLimit { limit: left });
    }
    Ok(Some(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_more_than_is_left() {
        assert_eq!(reserve(None, u64::MAX, u64::MAX).unwrap(), None);
        assert_eq!(reserve(Some(10), 4, 0).unwrap(), Some(6));
        assert_eq!(reserve(Some(10), 4, 6).unwrap(), Some(6));
        for (limit, used, expected) in [(10, 4, 7), (10, 10, 0), (10, 11, 0), (0, 0, 0)] {
            assert!(reserve(Some(limit), used, expected).is_err());
        }
    }
}
