//! Random choices that can be made again: the seed is printed, and
//! `PRESSROOM_SEED` repeats it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A small generator (xorshift); good enough to choose moments.
#[derive(Debug)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Seeds from the environment, or from the clock.
    pub fn new() -> Self {
        let seed = std::env::var("PRESSROOM_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or_else(|| {
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(1, |since| u64::from(since.subsec_nanos()) + since.as_secs())
            });
        eprintln!("repeat with PRESSROOM_SEED={seed}");
        Self { state: seed | 1 }
    }

    /// A moment between none and `most`.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX).max(1);
        Duration::from_micros(self.next() % micros)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        // The low bits of such a generator are the poorer ones.
        usize::try_from(self.next() >> 33).unwrap_or_default() % end
    }

    /// One of them.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

impl Default for Chance {
    fn default() -> Self {
        Self::new()
    }
}
