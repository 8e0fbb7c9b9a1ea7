//! All sites in one table that filters while one types.

use crate::{
    Console,
    badge::Badge,
    errors::{Failure, Shape},
    frame::{Frame, Section},
    moment::Moment,
    pages::{jobs::JobRow, pipelines},
    prose::Prose,
    session::Current,
    wording,
};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, header::VARY},
    response::{Html, IntoResponse, Response},
};
use pressroom_base::{Timestamp, id::EnvironmentId};
use pressroom_fleet::{
    environments::EnvironmentFilter,
    jobs::JobFilter,
    pipelines::{Pipeline, PipelineQuery, PipelineState},
    sites::Site,
    views::{Environment, Job},
};
use serde::Deserialize;
use std::collections::HashMap;

/// Sites shown at once; more are found by narrowing the search.
const SHOWN: usize = 200;
/// Jobs looked through for each site's last one.
const RECENT_JOBS: u64 = 200;

#[derive(Template)]
#[template(path = "fleet.html")]
pub(crate) struct FleetPage {
    pub(crate) frame: Frame,
    pub(crate) list: SiteList,
}

#[derive(Template)]
#[template(path = "fleet_list.html")]
pub(crate) struct FleetFragment {
    pub(crate) list: SiteList,
}

/// The sites that match.
#[derive(Debug)]
pub(crate) struct SiteList {
    pub(crate) q: String,
    pub(crate) rows: Vec<SiteRow>,
    /// How many match, shown or not.
    pub(crate) total: usize,
    /// Those of which only an address is known.
    pub(crate) waiting: Vec<WaitingRow>,
    /// How many safe updates wait for a yes, on whichever site.
    pub(crate) approvals: u64,
}

/// A site that waits to be connected.
#[derive(Debug)]
pub(crate) struct WaitingRow {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) state: Badge,
    pub(crate) trouble: Prose,
    pub(crate) tried: Option<Moment>,
}

/// One site in the table.
#[derive(Debug)]
pub(crate) struct SiteRow {
    pub(crate) id: EnvironmentId,
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) address: String,
    pub(crate) kind: Option<String>,
    pub(crate) state: Badge,
    pub(crate) broken: bool,
    pub(crate) core: String,
    pub(crate) php: String,
    pub(crate) updates: usize,
    pub(crate) inspected: bool,
    /// Address of the safe update that waits for a yes.
    pub(crate) approval: Option<String>,
    pub(crate) job: Option<JobRow>,
}

#[derive(Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    q: String,
}

/// `GET /fleet`
pub(crate) async fn show(
    State(console): State<Console>,
    current: Current,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let caller = current.caller();
    let filter = EnvironmentFilter {
        text: search.q.trim().to_owned(),
        ..EnvironmentFilter::default()
    };
    let sites = console.fleet.list_environments(&caller, &filter).await?;
    let recent = JobFilter {
        limit: RECENT_JOBS,
        ..JobFilter::default()
    };
    let jobs = console.fleet.list_jobs(&caller, &recent).await?;
    let waiting = console.fleet.list_unconnected_sites(&caller).await?;
    let awaiting = PipelineQuery {
        status: Some(PipelineState::AwaitingApproval),
        open: true,
        ..PipelineQuery::default()
    };
    let (approvals, total) = console
        .fleet
        .list_pipelines(&caller, awaiting, SHOWN as u64, 0)
        .await?;
    let now = Timestamp::now();
    let list = SiteList::new(search.q, &sites, &jobs, now)
        .with_waiting(&waiting, now)
        .with_approvals(&approvals, total);
    let html = match Shape::of(&headers) {
        Shape::Fragment => FleetFragment { list }.render()?,
        Shape::Page => FleetPage {
            frame: current.frame("Sites", Section::Sites),
            list,
        }
        .render()?,
    };
    Ok(([(VARY, "HX-Request")], Html(html)).into_response())
}

impl SiteList {
    pub(crate) fn new(q: String, sites: &[Environment], jobs: &[Job], now: Timestamp) -> Self {
        let mut last = HashMap::new();
        for job in jobs {
            if let Some(environment) = job.environment_id {
                last.entry(environment).or_insert(job);
            }
        }
        Self {
            q,
            total: sites.len(),
            rows: sites
                .iter()
                .take(SHOWN)
                .map(|site| SiteRow::new(site, &last, now))
                .collect(),
            waiting: Vec::new(),
            approvals: 0,
        }
    }

    /// With those that wait to be connected and match as well.
    pub(crate) fn with_waiting(mut self, sites: &[Site], now: Timestamp) -> Self {
        let wanted = self.q.trim().to_lowercase();
        let matches = |text: &String| text.to_lowercase().contains(&wanted);
        self.waiting = sites
            .iter()
            .filter(|site| matches(&site.name) || matches(&site.url))
            .take(SHOWN)
            .map(|site| WaitingRow::new(site, now))
            .collect();
        self
    }

    /// With what waits for a yes.
    pub(crate) fn with_approvals(mut self, awaiting: &[Pipeline], total: u64) -> Self {
        self.approvals = total;
        for row in &mut self.rows {
            let own = awaiting.iter().find(|it| it.environment_id == row.id);
            row.approval = own.map(|it| pipelines::href(&it.id));
        }
        self
    }

    /// What waits for a yes, in a sentence.
    pub(crate) fn approvals_words(&self) -> String {
        let number = usize::try_from(self.approvals).unwrap_or(usize::MAX);
        let verb = if number == 1 { "waits" } else { "wait" };
        format!("{} {verb} for a yes", wording::count(number, "update"))
    }

    /// Whether more match than are shown.
    pub(crate) fn is_cut(&self) -> bool {
        self.total > self.rows.len()
    }

    /// What was found, in a sentence.
    pub(crate) fn summary(&self) -> String {
        if self.is_cut() {
            return format!("The first {} of {} sites", self.rows.len(), self.total);
        }
        let behind = self.rows.iter().filter(|row| row.updates > 0).count();
        let broken = self.rows.iter().filter(|row| row.broken).count();
        let mut parts = vec![wording::count(self.rows.len(), "site")];
        if behind > 0 {
            parts.push(format!("{behind} with updates"));
        }
        if broken > 0 {
            parts.push(format!("{broken} broken"));
        }
        parts.join(", ")
    }
}

impl SiteRow {
    fn new(site: &Environment, last: &HashMap<EnvironmentId, &Job>, now: Timestamp) -> Self {
        Self {
            id: site.id,
            href: format!("/sites/{}", site.id),
            name: name(site).to_owned(),
            account: site.account_name.clone(),
            address: site
                .url
                .split_once("://")
                .map_or(site.domain.as_str(), |(_, rest)| rest)
                .to_owned(),
            kind: (site.kind != "production").then(|| site.kind.clone()),
            state: Badge::of_site(site),
            broken: site.state == "broken",
            core: site.core_version.clone(),
            php: site.php_version.clone(),
            updates: updates(site),
            inspected: site.inspected_at.is_some(),
            approval: None,
            job: last.get(&site.id).map(|job| JobRow::new(job, now)),
        }
    }
}

impl WaitingRow {
    fn new(site: &Site, now: Timestamp) -> Self {
        let trouble = site.trouble.clone();
        Self {
            name: site.name.clone(),
            address: site
                .url
                .split_once("://")
                .map_or(site.url.as_str(), |(_, rest)| rest)
                .to_owned(),
            state: Badge::of_waiting(site.status),
            trouble: trouble.unwrap_or_default().into(),
            tried: site.tried_at.map(|at| Moment::new(at, now)),
        }
    }
}

/// What to call a site: its title, where it has one.
pub(crate) fn name(site: &Environment) -> &str {
    [&site.title, &site.site_name]
        .into_iter()
        .find(|name| !name.trim().is_empty())
        .unwrap_or(&site.domain)
}

/// How many components have a newer version.
pub(crate) fn updates(site: &Environment) -> usize {
    site.components
        .iter()
        .filter(|component| component.new_version.is_some())
        .count()
}
