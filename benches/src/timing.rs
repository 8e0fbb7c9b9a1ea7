//! Measuring two sides of one thing in turn, so that both meet the same machine.

use anyhow::Result;
use std::time::{Duration, Instant};

/// How long one run takes.
pub fn once(run: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    run()?;
    Ok(start.elapsed())
}

/// The median of `times` runs after one that warms up.
pub fn median(times: usize, mut run: impl FnMut() -> Result<()>) -> Result<Duration> {
    run()?;
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        all.push(once(&mut run)?);
    }
    all.sort_unstable();
    Ok(all[all.len() / 2])
}

/// Medians of both sides, run alternately after one warm-up each.
pub fn side_by_side(
    times: usize,
    mut ours: impl FnMut() -> Result<()>,
    mut other: impl FnMut() -> Result<()>,
) -> Result<(Duration, Duration)> {
    ours()?;
    other()?;
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for _ in 0..times {
        left.push(once(&mut ours)?);
        right.push(once(&mut other)?);
    }
    left.sort_unstable();
    right.sort_unstable();
    Ok((left[times / 2], right[times / 2]))
}

/// The median of durations taken by hand; of an even number the later one.
pub fn middle(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}
