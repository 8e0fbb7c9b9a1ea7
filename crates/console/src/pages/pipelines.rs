//! Safe updates, newest first: of the whole fleet, and those of one site on its page.

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
    extract::{Query, State},
    response::Html,
};
use pressroom_base::Timestamp;
use pressroom_fleet::{
    authorize::Action,
    pipelines::{Pipeline, PipelineQuery, PipelineState, Target, TargetState},
    views::Environment,
};
use serde::Deserialize;

/// Rows of the list; `pressroom pipeline list` shows all.
const SHOWN: u64 = 100;
/// Rows on a site's page.
const SHOWN_OF_SITE: u64 = 5;
/// Targets that are named in a row.
const NAMED: usize = 3;

#[derive(Template)]
#[template(path = "pipelines.html")]
pub(crate) struct PipelinesPage {
    pub(crate) frame: Frame,
    pub(crate) rows: Vec<PipelineLine>,
    pub(crate) total: u64,
    pub(crate) which: Which,
}

/// Which ones are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Which {
    /// Every one.
    #[default]
    All,
    /// Those that are not over.
    Open,
    /// Those that wait for a yes.
    Waiting,
}

/// One in a table.
#[derive(Debug)]
pub(crate) struct PipelineLine {
    pub(crate) href: String,
    pub(crate) what: String,
    /// The site, as name and address; `None` where the page is the site's own.
    pub(crate) site: Option<(String, String)>,
    pub(crate) state: Badge,
    pub(crate) message: Prose,
    pub(crate) created: Moment,
    pub(crate) took: Option<String>,
}

/// What a site's page says of its safe updates.
#[derive(Debug)]
pub(crate) struct PipelinePanel {
    /// Where one is begun.
    pub(crate) begin: String,
    pub(crate) rows: Vec<PipelineLine>,
    /// How many there are beyond those shown.
    pub(crate) more: u64,
    /// Address of the one that waits for a yes.
    pub(crate) awaiting: Option<String>,
    pub(crate) may_begin: bool,
    /// Where one says what is updated by itself.
    pub(crate) policy: String,
}

#[derive(Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    show: Which,
}

/// `GET /pipelines`
pub(crate) async fn show(
    State(console): State<Console>,
    current: Current,
    Query(shown): Query<Shown>,
) -> Result<Html<String>, Failure> {
    let (rows, total) = console
        .fleet
        .list_pipelines(&current.caller(), shown.show.query(), SHOWN, 0)
        .await?;
    let now = Timestamp::now();
    let page = PipelinesPage {
        frame: current.frame("Updates", Section::Updates),
        rows: rows.iter().map(|it| PipelineLine::new(it, now)).collect(),
        total,
        which: shown.show,
    };
    Ok(Html(page.render()?))
}

/// What a site's page says of them.
pub(super) async fn panel(
    console: &Console,
    current: &Current,
    site: &Environment,
) -> Result<PipelinePanel, Failure> {
    let (rows, total) = console
        .fleet
        .list_environment_pipelines(
            &current.caller(),
            site.id,
            PipelineQuery::default(),
            SHOWN_OF_SITE,
        )
        .await?;
    Ok(PipelinePanel::new(
        site,
        &rows,
        total,
        current,
        Timestamp::now(),
    ))
}

/// The page of one.
pub(crate) fn href(id: &str) -> String {
    format!("/pipelines/pipe_{id}")
}

/// What is updated, in a few words.
pub(crate) fn named(targets: &[Target]) -> String {
    if targets.is_empty() {
        return "Nothing".to_owned();
    }
    let mut names: Vec<_> = targets.iter().take(NAMED).map(called).collect();
    let more = targets.len().saturating_sub(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// What people call a target.
pub(crate) fn called(target: &Target) -> String {
    match (&target.slug, target.name.trim()) {
        (None, _) => "WordPress".to_owned(),
        (Some(slug), "") => slug.clone(),
        (Some(_), name) => name.to_owned(),
    }
}

impl Which {
    fn query(self) -> PipelineQuery {
        PipelineQuery {
            status: (self == Self::Waiting).then_some(PipelineState::AwaitingApproval),
            open: self != Self::All,
            ..PipelineQuery::default()
        }
    }

    /// Each, with its address and its name.
    const EACH: [(Self, &'static str, &'static str); 3] = [
        (Self::All, "/pipelines", "All"),
        (Self::Open, "/pipelines?show=open", "Under way"),
        (
            Self::Waiting,
            "/pipelines?show=waiting",
            "Waiting for a yes",
        ),
    ];
}

impl PipelinesPage {
    /// What may be chosen: address, name, and `aria-current`.
    pub(crate) fn choices(&self) -> [(&'static str, &'static str, &'static str); 3] {
        Which::EACH.map(|(which, href, name)| {
            let current = if which == self.which { "page" } else { "false" };
            (href, name, current)
        })
    }

    /// Whether nothing is left out.
    pub(crate) fn shows_all(&self) -> bool {
        self.which == Which::All
    }

    /// How many are not shown.
    pub(crate) fn more(&self) -> u64 {
        self.total.saturating_sub(self.rows.len() as u64)
    }
}

impl PipelineLine {
    pub(crate) fn new(pipeline: &Pipeline, now: Timestamp) -> Self {
        Self {
            href: href(&pipeline.id),
            what: named(&pipeline.targets),
            site: (!pipeline.site.is_empty()).then(|| {
                let site = format!("/sites/{}", pipeline.environment_id);
                (pipeline.site.clone(), site)
            }),
            state: Badge::of_pipeline(pipeline.status),
            message: message(pipeline).into(),
            created: Moment::new(pipeline.created_at, now),
            took: pipeline
                .started_at
                .zip(pipeline.finished_at)
                .map(|(from, to)| moment::span(from, to)),
        }
    }
}

/// What became of it, or what it is doing, in a line.
fn message(pipeline: &Pipeline) -> String {
    if let Some(error) = &pipeline.error {
        return error.clone();
    }
    let of = |state, word: &str| {
        let number = pipeline.count(state);
        (number > 0).then(|| format!("{number} {word}"))
    };
    let parts: Vec<_> = [
        of(TargetState::Updated, "updated"),
        of(TargetState::RolledBack, "taken back"),
        of(TargetState::Failed, "left as it was"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        wording::count(pipeline.targets.len(), "update")
    } else {
        parts.join(", ")
    }
}

impl PipelinePanel {
    pub(crate) fn new(
        site: &Environment,
        rows: &[Pipeline],
        total: u64,
        current: &Current,
        now: Timestamp,
    ) -> Self {
        let open = rows.iter().find(|it| !it.status.is_final());
        let awaiting = open.filter(|it| it.status == PipelineState::AwaitingApproval);
        let may = current.may(Action::ComponentUpdate, site.account_id);
        Self {
            begin: format!("/sites/{}/pipeline", site.id),
            more: total.saturating_sub(rows.len() as u64),
            awaiting: awaiting.map(|it| href(&it.id)),
            may_begin: may && open.is_none(),
            policy: format!("/sites/{}/policy", site.id),
            rows: rows
                .iter()
                .map(|it| PipelineLine {
                    site: None,
                    ..PipelineLine::new(it, now)
                })
                .collect(),
        }
    }
}
