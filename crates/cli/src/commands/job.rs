//! `pressroom job …`

mod cancel;
mod list;
mod show;
mod watch;

pub use cancel::Cancel;
pub use list::List;
pub use show::Show;
pub use watch::Watch;

use clap::Subcommand;
use pressroom_base::id::JobId;
use pressroom_fleet::jobs::JobRef;

/// Work that outlives a request.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  pressroom job list --state running
  pressroom job watch job_1x9qkd03mz7e")]
pub enum Job {
    /// List jobs, newest first
    List(List),
    /// Show one job
    Show(Show),
    /// Follow a job until it ends, and end as it did
    Watch(Watch),
    /// Ask a job to stop; what it began is undone
    Cancel(Cancel),
}

/// Reads a job's name: a number, `job_…`, or a site's `wp_…` for its newest job.
fn parse_ref(text: &str) -> Result<JobRef, String> {
    if let Ok(id) = text.parse::<JobId>()
        && id.get() > 0
    {
        Ok(JobRef::Id(id))
    } else if text.starts_with("job_") {
        Ok(JobRef::Public(text.to_owned()))
    } else if text.starts_with("wp_") {
        Ok(JobRef::OfEnvironment(text.to_owned()))
    } else {
        Err("a job is named by a number, by `job_…`, or by a site's `wp_…`".to_owned())
    }
}
