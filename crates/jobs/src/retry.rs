//! Whether and when a failed job is tried again.

use crate::failure::Class;
use pressroom_base::token;
use std::time::Duration;

/// Which classes of failure are tried again, and how patiently. How often at most
/// is said by the job itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// After cut connections and timeouts.
    pub transport: bool,
    /// After failures of the site.
    pub site: bool,
    /// After faults of ours.
    pub bug: bool,
    /// The first delay; each next one is twice as long.
    pub base: Duration,
    /// The longest delay.
    pub cap: Duration,
}

impl RetryPolicy {
    /// The first failure is the last.
    pub const fn never() -> Self {
        Self {
            transport: false,
            site: false,
            bug: false,
            base: Duration::ZERO,
            cap: Duration::ZERO,
        }
    }

    /// Only what may pass by itself is tried again: after 5 s, 10 s, … 10 min.
    pub const fn transport() -> Self {
        Self {
            transport: true,
            site: false,
            bug: false,
            base: Duration::from_secs(5),
            cap: Duration::from_mins(10),
        }
    }

    /// Whether this class is tried again at all. What the user got wrong never is.
    pub const fn retries(&self, class: Class) -> bool {
        match class {
            Class::Transport => self.transport,
            Class::Site => self.site,
            Class::Bug => self.bug,
            Class::User => false,
        }
    }

    /// How long to wait after attempt number `attempt`: exponential, and between
    /// half and all of that, so that jobs which failed together do not return
    /// together.
    pub fn delay(&self, attempt: i32) -> Duration {
        let doublings = u32::try_from(attempt.saturating_sub(1))
            .unwrap_or(0)
            .min(20);
        let longest = self.base.saturating_mul(1 << doublings).min(self.cap);
        let mut random = [0; 2];
        token::fill(&mut random);
        let share = f64::from(u16::from_be_bytes(random)) / f64::from(u16::MAX);
        longest.mul_f64(0.5 + share / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_within_its_bounds() {
        let policy = RetryPolicy::transport();
        for (attempt, longest) in [(1, 5), (2, 10), (3, 20), (40, 600)] {
            let delay = policy.delay(attempt);
            assert!(
                delay <= Duration::from_secs(longest),
                "{attempt}: {delay:?}"
            );
            assert!(
                delay >= Duration::from_secs(longest) / 2,
                "{attempt}: {delay:?}"
            );
        }
        assert!(!policy.retries(Class::User) && !policy.retries(Class::Bug));
        assert!(policy.retries(Class::Transport));
    }
}
