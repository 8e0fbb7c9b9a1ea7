//! Jobs, newest first.

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
use axum::{extract::State, response::Html};
use pressroom_base::Timestamp;
use pressroom_fleet::{jobs::JobFilter, views::Job};

#[derive(Template)]
#[template(path = "jobs.html")]
pub(crate) struct JobsPage {
    pub(crate) frame: Frame,
    pub(crate) jobs: Vec<JobRow>,
}

/// One job in a table.
#[derive(Debug)]
pub(crate) struct JobRow {
    pub(crate) href: String,
    pub(crate) kind: String,
    /// The site, as name and address; `None` where the page is the site's own.
    pub(crate) site: Option<(String, String)>,
    pub(crate) state: Badge,
    pub(crate) message: Prose,
    pub(crate) created: Moment,
    pub(crate) took: Option<String>,
}

/// `GET /jobs`
pub(crate) async fn show(
    State(console): State<Console>,
    current: Current,
) -> Result<Html<String>, Failure> {
    let jobs = console
        .fleet
        .list_jobs(&current.caller(), &JobFilter::default())
        .await?;
    let now = Timestamp::now();
    let page = JobsPage {
        frame: current.frame("Jobs", Section::Jobs),
        jobs: jobs.iter().map(|job| JobRow::new(job, now)).collect(),
    };
    Ok(Html(page.render()?))
}

impl JobRow {
    pub(crate) fn new(job: &Job, now: Timestamp) -> Self {
        Self {
            href: format!("/jobs/{}", job.public_id),
            kind: wording::job_kind(&job.kind),
            site: job
                .domain
                .clone()
                .zip(job.environment_id.map(|id| format!("/sites/{id}"))),
            state: Badge::of_job(job),
            message: job
                .error
                .as_ref()
                .map_or(job.message.as_str(), |error| error.message.as_str())
                .into(),
            created: Moment::new(job.created_at, now),
            took: job
                .started_at
                .zip(job.finished_at)
                .map(|(from, to)| moment::span(from, to)),
        }
    }
}
