//! Log lines. A server writes them to standard output, a command to standard error.
//!
//! Secrets have no form that can be logged (`Secret` hides itself), and requests are
//! logged without their query.

use pressroom_base::Kind;
use pressroom_cli::{
    Failure,
    config::{Config, Log, LogFormat},
};
use std::io::{self, IsTerminal};
use tracing_subscriber::{EnvFilter, fmt};

/// For a process that serves.
pub fn for_server(log: &Log) -> Result<(), Failure> {
    let filter = filter(&log.filter)?;
    match log.format {
        LogFormat::Json => start(
            fmt()
                .with_env_filter(filter)
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .try_init(),
        ),
        LogFormat::Text => start(
            fmt()
                .with_env_filter(filter)
                .with_ansi(io::stdout().is_terminal())
                .try_init(),
        ),
    }
}

/// For a command: warnings only, unless somebody asked for more.
pub fn for_command(config: &Config) -> Result<(), Failure> {
    let wanted = if config.is_said("log.filter") {
        config.log.filter.as_str()
    } else {
        "warn"
    };
    start(
        fmt()
            .with_env_filter(filter(wanted)?)
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .try_init(),
    )
}

fn filter(text: &str) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(text).map_err(|error| {
        Failure::usage(format!("`log.filter` is no filter: `{text}`"))
            .because(&error)
            .with_hint("say a level such as `info`, or `info,pressroom_jobs=debug`")
    })
}

fn start(started: Result<(), Box<dyn std::error::Error + Send + Sync>>) -> Result<(), Failure> {
    started.map_err(|error| {
        Failure::new(Kind::Internal, "logging cannot be started").because(error.as_ref())
    })
}
