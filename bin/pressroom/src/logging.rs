//! Log lines. A server writes them to standard output or to a file that begins anew from
//! time to time, a command to standard error.
//!
//! Secrets have no form that can be logged (`Secret` hides itself), and requests are
//! logged without their query.

use pressroom_base::Kind;
use pressroom_cli::{
    Failure,
    config::{Config, Log, LogFile, LogFormat, Rotate},
};
use std::{
    fs,
    io::{self, IsTerminal},
};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

/// What is logged, which can be said anew while a server runs.
pub struct Filter(reload::Handle<EnvFilter, Registry>);

impl Filter {
    /// Logs this from now on. Errors: it is no filter.
    pub fn set(&self, text: &str) -> Result<(), Failure> {
        let filter = filter(text)?;
        self.0
            .reload(filter)
            .map_err(|error| Failure::local("the log's filter cannot be exchanged", &error))
    }
}

/// For a process that serves.
pub fn for_server(log: &Log) -> Result<Filter, Failure> {
    let (filter, handle) = reload::Layer::new(filter(&log.filter)?);
    let lines = match &log.file {
        None => lines(log.format, io::stdout().is_terminal(), io::stdout),
        Some(file) => lines(log.format, false, appender(file)?),
    };
    start(
        tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .try_init(),
    )?;
    Ok(Filter(handle))
}

/// For a command: warnings only, unless somebody asked for more.
pub fn for_command(config: &Config) -> Result<(), Failure> {
    let wanted = if config.is_said("log.filter") {
        config.log.filter.as_str()
    } else {
        "warn"
    };
    let colours = io::stderr().is_terminal();
    start(
        tracing_subscriber::registry()
            .with(filter(wanted)?)
            .with(fmt::layer().with_writer(io::stderr).with_ansi(colours))
            .try_init(),
    )
}

/// What makes lines of events.
fn lines<S, W>(format: LogFormat, colours: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_ansi(colours);
    match format {
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
        LogFormat::Text => layer.boxed(),
    }
}

fn appender(file: &LogFile) -> Result<RollingFileAppender, Failure> {
    let refused = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(
            Kind::Invalid,
            format!("cannot log to `{}`", file.path.display()),
        )
        .because(error)
        .with_hint("`log.file` names a file in a directory that Pressroom may write to")
    };
    let (Some(directory), Some(name)) = (file.path.parent(), file.path.file_name()) else {
        return Err(Failure::usage(format!(
            "`log.file` is no file: `{}`",
            file.path.display()
        )));
    };
    fs::create_dir_all(directory).map_err(|error| refused(&error))?;
    let rotation = match file.rotate {
        Rotate::Daily => Rotation::DAILY,
        Rotate::Hourly => Rotation::HOURLY,
        Rotate::Never => Rotation::NEVER,
    };
    RollingFileAppender::builder()
        .rotation(rotation)
        .filename_prefix(name.to_string_lossy())
        .build(directory)
        .map_err(|error| refused(&error))
}

/// Removes log files but the newest, as many as are to be kept. Only what has our name and
/// the date after it is one: the appender's own way takes whatever begins with the name.
pub fn prune(file: &LogFile) {
    let (Some(directory), Some(name)) = (file.path.parent(), file.path.file_name()) else {
        return;
    };
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    let name = name.to_string_lossy();
    let mut dated: Vec<_> = entries
        .flatten()
        .filter(|entry| {
            let found = entry.file_name();
            let found = found.to_string_lossy();
            let rest = found.strip_prefix(&*name);
            rest.and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(is_date)
        })
        .map(|entry| entry.path())
        .collect();
    // Their names are in the order of their days and hours.
    dated.sort();
    let old = dated.len().saturating_sub(file.keep);
    for path in dated.iter().take(old) {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(%error, "the old log `{}` was not removed", path.display());
        }
    }
}

/// `2026-03-01`, or `2026-03-01-17`.
fn is_date(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|one| if one.is_ascii_digit() { '0' } else { one })
        .collect();
    shape == "0000-00-00" || shape == "0000-00-00-00"
}

fn filter(text: &str) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(text).map_err(|error| {
        Failure::usage(format!("`log.filter` is no filter: `{text}`"))
            .because(&error)
            .with_hint("say a level such as `info`, or `info,pressroom_jobs=debug`")
    })
}

fn start(started: Result<(), tracing_subscriber::util::TryInitError>) -> Result<(), Failure> {
    started
        .map_err(|error| Failure::new(Kind::Internal, "logging cannot be started").because(&error))
}
