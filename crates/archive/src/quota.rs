//! How much an account may keep.

use crate::{Archive, Result};
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

/// Why nothing can be promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// What is kept leaves nothing: something must go first.
    Full,
    /// Something is left, but others that are being written were promised it.
    Promised,
}

/// How many bytes to set aside for the next snapshot: `None` without a limit. `kept` is
/// in the store, `promised` was set aside for others that are being written. `expected`
/// is a guess: alone, a snapshot may have a try at whatever is left, beside others it
/// waits until they are done. Asking and recording the promise belong into one
/// transaction.
pub const fn promise(
    limit: Option<u64>,
    kept: u64,
    promised: u64,
    expected: u64,
) -> std::result::Result<Option<u64>, Refusal> {
    let Some(limit) = limit else {
        return Ok(None);
    };
    let left = limit.saturating_sub(kept);
    if left == 0 {
        return Err(Refusal::Full);
    }
    if expected <= left.saturating_sub(promised) {
        return Ok(Some(expected));
    }
    if promised == 0 {
        return Ok(Some(left));
    }
    Err(Refusal::Promised)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_set_aside_and_nobody_waits_for_nobody() {
        assert_eq!(promise(None, u64::MAX, u64::MAX, u64::MAX), Ok(None));
        for (kept, promised, expected, got) in [
            (4, 0, 3, Ok(Some(3))),
            (4, 3, 3, Ok(Some(3))),
            (4, 4, 3, Err(Refusal::Promised)),
            // It may turn out smaller than it is guessed to be.
            (4, 0, 7, Ok(Some(6))),
            (4, 1, 7, Err(Refusal::Promised)),
            (10, 0, 0, Err(Refusal::Full)),
            (11, 5, 1, Err(Refusal::Full)),
            (9, u64::MAX, 1, Err(Refusal::Promised)),
        ] {
            assert_eq!(promise(Some(10), kept, promised, expected), got);
        }
    }
}
