//! One job: its steps, its output as it runs, and how it ended.

use crate::{
    Console,
    badge::Badge,
    errors::Failure,
    frame::{Frame, Section},
    moment::{self, Moment},
    prose::Prose,
    session::Current,
    wording,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{Html, Redirect},
};
use futures_util::StreamExt;
use pressroom_base::{Timestamp, id::JobId};
use pressroom_fleet::{
    Caller, Fleet,
    authorize::Action,
    components::{ItemOutcome, UpdateReport},
    jobs::JobRef,
    views::{Job, JobUpdate, Step},
};
use serde_json::Value;
use std::{pin::pin, time::Duration};

/// How long the page waits for the next piece of output that is there already.
const PAUSE: Duration = Duration::from_millis(150);
/// Output put into the page itself; the rest would make it too large to be useful.
const OUTPUT_LIMIT: usize = 512 * 1024;

#[derive(Template)]
#[template(path = "job.html")]
pub(crate) struct JobPage {
    pub(crate) frame: Frame,
    pub(crate) job: JobFacts,
    pub(crate) output: Output,
}

/// The part of the page that follows the job's state.
#[derive(Template)]
#[template(path = "job_state.html")]
pub(crate) struct JobState {
    pub(crate) job: JobFacts,
}

/// A job as the page shows it.
#[derive(Debug)]
pub(crate) struct JobFacts {
    pub(crate) href: String,
    pub(crate) public_id: String,
    pub(crate) kind: String,
    pub(crate) domain: String,
    pub(crate) site: Option<String>,
    pub(crate) state: Badge,
    pub(crate) live: bool,
    pub(crate) progress: i32,
    pub(crate) step: String,
    pub(crate) message: Prose,
    pub(crate) steps: Vec<StepRow>,
    pub(crate) problem: Option<Problem>,
    pub(crate) items: Vec<ItemRow>,
    /// A result of another shape, as it is.
    pub(crate) result: Vec<(String, String)>,
    pub(crate) created: Moment,
    pub(crate) took: Option<String>,
    pub(crate) may_cancel: bool,
}

/// One step.
#[derive(Debug)]
pub(crate) struct StepRow {
    pub(crate) name: String,
    pub(crate) state: String,
}

/// Why it failed.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) message: Prose,
    pub(crate) hint: Option<Prose>,
}

/// What became of one component.
#[derive(Debug)]
pub(crate) struct ItemRow {
    pub(crate) slug: String,
    pub(crate) outcome: Badge,
    pub(crate) old_version: String,
    pub(crate) new_version: String,
    pub(crate) offered_version: Option<String>,
    pub(crate) tree: Option<String>,
    pub(crate) message: Prose,
}

/// Output so far.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) text: String,
    /// Where the live output goes on.
    pub(crate) seq: i64,
    pub(crate) cut: bool,
}

/// To a job's page, for whoever has just started or stopped it.
pub(crate) fn to_job(job: &Job) -> Redirect {
    Redirect::to(&format!("/jobs/{}", job.public_id))
}

/// `GET /jobs/{id}`
pub(crate) async fn show(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Html<String>, Failure> {
    let caller = current.caller();
    let job = find(&console.fleet, &caller, &id).await?;
    let output = output_so_far(&console.fleet, &caller, job.id).await?;
    let mut facts = JobFacts::new(&job, Timestamp::now());
    facts.may_cancel = facts.live
        && job.account_id.is_some_and(|account| {
            [Action::JobCancel, Action::of_job(&job.kind)]
                .iter()
                .all(|action| current.may(*action, account))
        });
    let page = JobPage {
        frame: current.frame(facts.kind.clone(), Section::Jobs),
        job: facts,
        output,
    };
    Ok(Html(page.render()?))
}

/// `POST /jobs/{id}/cancel`
pub(crate) async fn cancel(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    let caller = current.caller();
    let job = find(&console.fleet, &caller, &id).await?;
    let reason = format!("cancelled in the console by {}", current.0.user.email);
    let job = console.fleet.cancel_job(&caller, job.id, &reason).await?;
    Ok(to_job(&job))
}

/// The job that an address names, by `job_…` or by number.
pub(crate) async fn find(fleet: &Fleet, caller: &Caller, id: &str) -> Result<Job, Failure> {
    let job = match id.parse() {
        Ok(id) => JobRef::Id(id),
        Err(_) if id.starts_with("job_") => JobRef::Public(id.to_owned()),
        Err(_) => return Err(Failure::missing()),
    };
    Ok(fleet.find_job(caller, &job).await?)
}

/// What is there now, so that the page says something without scripts too.
async fn output_so_far(fleet: &Fleet, caller: &Caller, id: JobId) -> Result<Output, Failure> {
    let mut updates = pin!(fleet.watch_job(caller, id, 0).await?);
    let mut output = Output::default();
    while let Ok(Some(update)) = tokio::time::timeout(PAUSE, updates.next()).await {
        if let JobUpdate::Output { seq, text } = update {
            output.push(seq, &text);
        }
        if output.text.len() > OUTPUT_LIMIT {
            output.cut = true;
            break;
        }
    }
    Ok(output)
}

impl Output {
    fn push(&mut self, seq: i64, text: &str) {
        self.seq = seq;
        self.text.push_str(&whole_lines(text));
    }
}

/// Output as it is shown: every piece ends its last line.
pub(crate) fn whole_lines(text: &str) -> String {
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

impl JobFacts {
    pub(crate) fn new(job: &Job, now: Timestamp) -> Self {
        let items = job.result.as_ref().and_then(report);
        Self {
            href: format!("/jobs/{}", job.public_id),
            public_id: job.public_id.clone(),
            kind: wording::job_kind(&job.kind),
            domain: job.domain.clone().unwrap_or_default(),
            site: job.environment_id.map(|id| format!("/sites/{id}")),
            state: Badge::of_job(job),
            live: !job.is_final(),
            progress: job.progress.clamp(0, 100),
            step: wording::step(&job.step),
            message: job.message.as_str().into(),
            steps: job.steps.iter().map(StepRow::new).collect(),
            problem: job.error.as_ref().map(|error| Problem {
                message: error.message.as_str().into(),
                hint: error.hint.as_deref().map(Prose::from),
            }),
            result: match (&items, &job.result) {
                (None, Some(result)) => members(result),
                _ => Vec::new(),
            },
            items: items
                .map(|report| report.items.into_iter().map(ItemRow::new).collect())
                .unwrap_or_default(),
            created: Moment::new(job.created_at, now),
            took: job
                .started_at
                .map(|from| moment::span(from, job.finished_at.unwrap_or(now))),
            may_cancel: false,
        }
    }
}

/// An update's report, when the result is one.
fn report(result: &Value) -> Option<UpdateReport> {
    serde_json::from_value(result.clone()).ok()
}

/// The members of a result of another shape; ids of rows say nothing to people.
fn members(result: &Value) -> Vec<(String, String)> {
    let Value::Object(members) = result else {
        return Vec::new();
    };
    members
        .iter()
        .filter(|(name, value)| *name != "environment_id" && !value.is_null())
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (wording::member(name), text)
        })
        .collect()
}

impl StepRow {
    fn new(step: &Step) -> Self {
        Self {
            name: wording::step(&step.name),
            state: step.state.clone(),
        }
    }

    /// The step's look; an unknown state has none.
    pub(crate) fn look(&self) -> &'static str {
        match self.state.as_str() {
            "done" => "step-done",
            "running" => "step-running",
            "failed" => "step-failed",
            "undone" => "step-undone",
            _ => "step-waiting",
        }
    }
}

impl ItemRow {
    fn new(item: ItemOutcome) -> Self {
        Self {
            outcome: Badge::of_outcome(item.outcome),
            slug: item.slug,
            old_version: item.old_version,
            new_version: item.new_version,
            offered_version: item.offered_version,
            tree: item.tree_now,
            message: item.message.into(),
        }
    }

    /// The version that was tried and is not there now.
    pub(crate) fn refused(&self) -> Option<&str> {
        self.offered_version
            .as_deref()
            .filter(|offered| *offered != self.new_version)
    }

    /// The beginning of the live tree's hash.
    pub(crate) fn short_tree(&self) -> Option<String> {
        self.tree
            .as_ref()
            .map(|tree| tree.chars().take(12).collect())
    }
}
