//! What may be configured of health checks.

use std::time::Duration;

/// How often sites are looked at, and how many at once.
#[derive(Debug, Clone)]
pub struct HealthSettings {
    /// Between two looks at a site.
    pub light: Duration,
    /// Between two closer looks.
    pub full: Duration,
    /// Between a look that failed for the first time and the second.
    pub recheck: Duration,
    /// Sites looked at at once by one process; none means that it looks at none.
    pub concurrency: usize,
    /// Of those, at most so many at one address.
    pub per_host: usize,
    /// From when on a site is slow, where nobody said anything else for it.
    pub slow_ms: u64,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            light: Duration::from_mins(5),
            full: Duration::from_hours(24),
            recheck: Duration::from_secs(30),
            concurrency: 64,
            per_host: 8,
            slow_ms: 3000,
        }
    }
}
