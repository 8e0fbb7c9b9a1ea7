//! One file per area; each adds its rows to the table.

pub mod api;
mod bridge;
mod database;
mod fanout;
mod files;
mod health;
mod jobs;
mod pipelines;
mod reading;
mod remote;
mod select;
mod server;

use crate::table::Table;
use anyhow::Result;

type Measure = fn(&mut Table) -> Result<()>;

/// Every area by the words it is asked for.
const AREAS: &[(&str, Measure)] = &[
    ("inventory options", reading::measure),
    ("bridge eval", bridge::measure),
    ("checksums", files::checksums),
    ("snapshot", files::snapshot),
    ("plugin update", files::plugin_update),
    ("dump restore", database::dump_and_restore),
    ("search-replace", database::search_replace),
    ("jobs", jobs::measure),
    ("fan-out run", fanout::measure),
    ("ssh remote", remote::measure),
    ("api", api::measure),
    ("fleet filter select", select::measure),
    ("health", health::measure),
    ("safe update pipeline", pipelines::measure),
    ("memory start", server::measure),
];

/// Measures what was asked for, or everything.
pub fn run_all(words: &[String], table: &mut Table) -> Result<()> {
    for (names, measure) in AREAS {
        let wanted = words.is_empty() || words.iter().any(|word| names.contains(word.as_str()));
        if wanted {
            measure(table)?;
        }
    }
    Ok(())
}
