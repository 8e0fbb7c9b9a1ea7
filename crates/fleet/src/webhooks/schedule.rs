//! When a message that did not arrive is sent again.

use pressroom_base::{Timestamp, token};
use std::time::Duration;

/// From one attempt to the next: eight attempts in about 32 hours.
const WAITS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
];

/// So much sooner or later, so that what failed together does not come again together.
const JITTER_PERCENT: u32 = 10;

/// A receiver that only failed for so long is not told anything any more.
const PATIENCE: Duration = Duration::from_hours(5 * 24);

/// How long to wait after this many attempts; `None` when they were enough.
pub(super) fn wait(attempts: usize) -> Option<Duration> {
    let mut random = [0; 4];
    token::fill(&mut random);
    wait_at(attempts, u32::from_ne_bytes(random))
}

/// Whether a receiver that has only failed since then failed for too long.
pub(super) fn is_hopeless(failing_since: Timestamp, now: Timestamp) -> bool {
    failing_since.plus(PATIENCE) <= now
}

fn wait_at(attempts: usize, random: u32) -> Option<Duration> {
    let wait = *WAITS.get(attempts.checked_sub(1)?)?;
    let soonest = wait * (100 - JITTER_PERCENT) / 100;
    let spread = wait * (2 * JITTER_PERCENT) / 100;
    Some(soonest + spread.mul_f64(f64::from(random) / f64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_attempts_at_the_contracts_times() {
        let seconds = [5, 300, 1800, 7200, 18_000, 36_000, 50_400];
        for (attempts, seconds) in seconds.into_iter().enumerate() {
            let at = |random| wait_at(attempts + 1, random).map(|wait| wait.as_millis());
            assert_eq!(at(0), Some(seconds * 900));
            assert_eq!(at(u32::MAX), Some(seconds * 1100));
        }
        assert_eq!(wait_at(8, 0), None);
        assert_eq!(wait_at(0, 0), None);
        let waits: Vec<_> = (0..50).filter_map(|_| wait(7)).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]), "no jitter");
    }

    #[test]
    fn five_days_are_too_long() {
        let since = Timestamp::from_millis(0);
        let days = |days: u64| since.plus(Duration::from_hours(24 * days));
        assert!(!is_hopeless(since, days(4)) && is_hopeless(since, days(5)));
    }
}
