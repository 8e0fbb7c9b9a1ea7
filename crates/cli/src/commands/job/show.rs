//! `pressroom job show`

use super::parse_ref;
use crate::{Exit, Failure, Printer, table::plain};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    jobs::JobRef,
    views::{Job, Step},
};

/// Shows one job.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom job show 17
  pressroom --json job show job_1x9qkd03mz7e")]
pub struct Show {
    /// The job's number, its id (`job_…`), or a site's id (`wp_…`) for its newest job
    #[arg(value_parser = parse_ref)]
    pub id: JobRef,
}

impl Show {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        show(&fleet.find_job(caller, &self.id).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(job: &Job, printer: &mut Printer) {
    if printer.json() {
        return printer.json_line(job);
    }
    let instant = |at: Option<pressroom_base::Timestamp>| {
        at.map_or_else(String::new, pressroom_base::Timestamp::to_rfc3339)
    };
    let site = match (&job.domain, &job.panel_id) {
        (Some(domain), Some(id)) => format!("{domain} ({id})"),
        (domain, id) => domain.clone().or_else(|| id.clone()).unwrap_or_default(),
    };
    let step = |step: &Step| format!("{} {}", step.name, step.state);
    let rows = [
        ("id", format!("{} ({})", job.public_id, job.id)),
        ("kind", job.kind.clone()),
        ("site", site),
        ("state", format!("{}, {} %", job.state, job.progress)),
        ("message", job.message.clone()),
        ("asked for", instant(Some(job.created_at))),
        ("started", instant(job.started_at)),
        ("finished", instant(job.finished_at)),
        (
            "steps",
            job.steps.iter().map(step).collect::<Vec<_>>().join(", "),
        ),
        (
            "result",
            job.result
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
        ),
        (
            "error",
            job.error
                .as_ref()
                .map_or_else(String::new, |error| error.message.clone()),
        ),
        (
            "hint",
            job.error
                .as_ref()
                .and_then(|error| error.hint.clone())
                .unwrap_or_default(),
        ),
    ];
    for (name, value) in rows {
        if !value.is_empty() {
            printer.line(&format!("{:<10} {}", format!("{name}:"), plain(&value)));
        }
    }
}
