//! One site: facts, components, and what can be done with it.

use crate::{
    Console,
    badge::Badge,
    errors::Failure,
    frame::{Frame, Section},
    headers,
    moment::Moment,
    pages::{
        fleet::{name, updates},
        health::{self, HealthPanel},
        job::to_job,
        jobs::JobRow,
        path::site_id,
        pipelines::{self, PipelinePanel},
        snapshots::SnapshotList,
    },
    session::Current,
    wording,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::header::CONTENT_SECURITY_POLICY,
    response::{Html, IntoResponse, Redirect, Response},
};
use pressroom_base::Timestamp;
use pressroom_fleet::{
    authorize::Action,
    components::UpdateComponents,
    jobs::JobFilter,
    sites::IssueLogin,
    snapshots::Snapshot,
    views::{Component, Environment, Job},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "site.html")]
pub(crate) struct SitePage {
    pub(crate) frame: Frame,
    pub(crate) site: SiteFacts,
    pub(crate) health: HealthPanel,
    pub(crate) pipelines: PipelinePanel,
}

/// A site as the page shows it.
#[derive(Debug)]
pub(crate) struct SiteFacts {
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    pub(crate) address: String,
    pub(crate) state: Badge,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) inspected: Option<Moment>,
    pub(crate) kinds: Vec<ComponentTable>,
    pub(crate) updates: usize,
    /// Address of the job that holds the site.
    pub(crate) busy: Option<String>,
    pub(crate) may_update: bool,
    pub(crate) may_log_in: bool,
    pub(crate) snapshots: SnapshotList,
    pub(crate) jobs: Vec<JobRow>,
}

/// The components of one kind.
#[derive(Debug)]
pub(crate) struct ComponentTable {
    pub(crate) kind: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<ComponentRow>,
    pub(crate) updates: usize,
}

/// One component.
#[derive(Debug)]
pub(crate) struct ComponentRow {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) status: Badge,
    pub(crate) new_version: Option<String>,
    /// Why it is not known whether there is one.
    pub(crate) offer_unknown: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Update {
    #[serde(default)]
    kind: String,
    /// Absent means all of the kind.
    #[serde(default)]
    slug: String,
}

/// `GET /sites/{id}`
pub(crate) async fn show(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let (caller, id) = (current.caller(), site_id(&id)?);
    let fleet = &console.fleet;
    let site = fleet.get_environment(&caller, Action::SiteRead, id).await?;
    let recent = JobFilter {
        environment: Some(id),
        limit: 10,
        ..JobFilter::default()
    };
    let jobs = fleet.list_jobs(&caller, &recent).await?;
    let snapshots = fleet.list_snapshots(&caller, Some(id)).await?;
    let page = SitePage {
        frame: current.frame(name(&site), Section::Sites),
        site: SiteFacts::new(&site, &jobs, &snapshots, &current, Timestamp::now()),
        health: health::panel(&console, &current, &site).await?,
        pipelines: pipelines::panel(&console, &current, &site).await?,
    };
    let mut response = Html(page.render()?).into_response();
    if let Some(policy) = headers::policy_leading_to(&site.url) {
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// `POST /sites/{id}/update`
pub(crate) async fn update(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(form): Form<Update>,
) -> Result<Redirect, Failure> {
    let update = UpdateComponents {
        kind: form.kind,
        slugs: Some(form.slug)
            .filter(|slug| !slug.is_empty())
            .into_iter()
            .collect(),
    };
    let job = console
        .fleet
        .update_components(&current.caller(), site_id(&id)?, update)
        .await?;
    Ok(to_job(&job))
}

/// `POST /sites/{id}/login`
pub(crate) async fn login(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    let link = console
        .fleet
        .issue_login(&current.caller(), site_id(&id)?, IssueLogin::default())
        .await?;
    Ok(Redirect::to(link.url.expose()))
}

impl SiteFacts {
    pub(crate) fn new(
        site: &Environment,
        jobs: &[Job],
        snapshots: &[Snapshot],
        current: &Current,
        now: Timestamp,
    ) -> Self {
        let is_web = site.url.starts_with("http://") || site.url.starts_with("https://");
        Self {
            href: format!("/sites/{}", site.id),
            name: name(site).to_owned(),
            url: is_web.then(|| site.url.clone()),
            address: site
                .url
                .split_once("://")
                .map_or(site.domain.as_str(), |(_, rest)| rest)
                .to_owned(),
            state: Badge::of_site(site),
            facts: facts(site),
            inspected: site.inspected_at.map(|at| Moment::new(at, now)),
            kinds: [("plugin", "Plugins"), ("theme", "Themes")]
                .into_iter()
                .map(|(kind, title)| ComponentTable::new(kind, title, &site.components))
                .collect(),
            updates: updates(site),
            busy: site.busy.map(|job| format!("/jobs/{job}")),
            may_update: current.may(Action::ComponentUpdate, site.account_id),
            may_log_in: current.may(Action::SiteLogin, site.account_id),
            snapshots: SnapshotList::new(site, snapshots, current, now),
            jobs: jobs
                .iter()
                .map(|job| JobRow {
                    site: None,
                    ..JobRow::new(job, now)
                })
                .collect(),
        }
    }

    /// How many updates there are, in words.
    pub(crate) fn updates_words(&self) -> String {
        wording::count(self.updates, "update")
    }
}

impl ComponentTable {
    fn new(kind: &'static str, title: &'static str, components: &[Component]) -> Self {
        let rows: Vec<_> = components
            .iter()
            .filter(|component| component.kind == kind)
            .map(ComponentRow::new)
            .collect();
        Self {
            kind,
            title,
            updates: rows.iter().filter(|row| row.new_version.is_some()).count(),
            rows,
        }
    }
}

impl ComponentRow {
    fn new(component: &Component) -> Self {
        let name = if component.name.trim().is_empty() {
            &component.slug
        } else {
            &component.name
        };
        Self {
            slug: component.slug.clone(),
            name: name.clone(),
            version: component.version.clone(),
            status: Badge::of_status(&component.status),
            new_version: component.new_version.clone(),
            offer_unknown: component.offer_unknown.clone(),
        }
    }
}

fn facts(site: &Environment) -> Vec<(&'static str, String)> {
    let yes = |value: bool| if value { "on" } else { "off" }.to_owned();
    [
        ("WordPress", site.core_version.clone()),
        ("PHP", site.php_version.clone()),
        ("Account", site.account_name.clone()),
        ("Environment", site.kind.clone()),
        ("Panel id", site.panel_id.clone()),
        ("Directory", site.root.clone()),
        ("Database", site.db_name.clone()),
        ("Database user", site.db_user.clone()),
        ("Table prefix", site.table_prefix.clone()),
        ("Answers at", site.origin.clone().unwrap_or_default()),
        ("Debug mode", yes(site.debug)),
        ("Multisite", yes(site.multisite)),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect()
}
