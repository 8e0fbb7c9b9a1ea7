//! How a runner may be told to work.

use pressroom_base::token;
use std::time::Duration;

/// How a runner works.
#[derive(Debug, Clone)]
pub struct RunnerConfig {
    /// How this process is named in the rows of its jobs.
    pub holder: String,
    /// How many jobs at once.
    pub concurrency: usize,
    /// How long a silent worker is believed to be alive.
    pub lease: Duration,
    /// How often a worker says that it is.
    pub heartbeat: Duration,
    /// How often to look for jobs and for wishes to cancel when nobody calls.
    pub poll: Duration,
    /// How long running jobs may go on after a shutdown is asked for.
    pub drain: Duration,
    /// How long a job that was told to stop has to return.
    pub grace: Duration,
}

impl Default for RunnerConfig {
    fn default() -> Self {
        Self {
            holder: format!("{}-{}", std::process::id(), token::name(6)),
            concurrency: 4,
            lease: Duration::from_mins(1),
            heartbeat: Duration::from_secs(15),
            poll: Duration::from_secs(1),
            drain: Duration::from_secs(30),
            grace: Duration::from_secs(20),
        }
    }
}
