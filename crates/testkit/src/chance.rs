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
        Self::seeded(seed())
    }

    /// The choices of one seed. Others of the same seed, for another purpose, are had by
    /// [`Chance::apart`].
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed | 1 }
    }

    /// Choices that depend on the seed and on what they are for, and on nothing that was chosen
    /// before: one of many cases can be repeated alone.
    pub fn apart(seed: u64, purpose: &str, number: u64) -> Self {
        let mut mixed = seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in purpose.bytes() {
            // FNV-1a; then the bits are spread, or neighbouring seeds would begin alike.
            mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self::seeded(mixed ^ (mixed >> 31))
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

/// The seed that the environment names, or one of the clock; printed, so that what was chosen
/// can be chosen again.
pub fn seed() -> u64 {
    let seed = std::env::var("PRESSROOM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |since| u64::from(since.subsec_nanos()) + since.as_secs())
        });
    eprintln!("repeat with PRESSROOM_SEED={seed}");
    seed
}

impl Default for Chance {
    fn default() -> Self {
        Self::new()
    }
}
