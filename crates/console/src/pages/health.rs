//! How a site is, on its page, and looking at it now.

use crate::{
    Console, badge::Badge, errors::Failure, moment::Moment, pages::path::site_id, prose::Prose,
    session::Current, wording,
};
use axum::{
    extract::{Path, State},
    response::Redirect,
};
use pressroom_base::Timestamp;
use pressroom_fleet::{
    health::{HealthCheck, HealthQuery, Standing},
    views::Environment,
};

/// Looks shown.
const SHOWN: u64 = 5;

/// How a site is, and what the last looks at it found.
#[derive(Debug)]
pub(crate) struct HealthPanel {
    pub(crate) href: String,
    pub(crate) state: Badge,
    pub(crate) checked: Option<Moment>,
    /// Since when it is down, and why.
    pub(crate) incident: Option<(Moment, Prose)>,
    pub(crate) looks: Vec<LookRow>,
    /// Whether there is any use in looking now: nobody looks at a paused site.
    pub(crate) may_look: bool,
}

/// One look.
#[derive(Debug)]
pub(crate) struct LookRow {
    pub(crate) state: Badge,
    pub(crate) at: Moment,
    pub(crate) kind: String,
    /// What the front page answered with, and how fast.
    pub(crate) answered: String,
    pub(crate) error: Prose,
}

/// What a site's page says of its health.
pub(super) async fn panel(
    console: &Console,
    current: &Current,
    site: &Environment,
) -> Result<HealthPanel, Failure> {
    let (fleet, caller) = (&console.fleet, current.caller());
    let standing = fleet.health_standing(&caller, site.site_id).await?;
    let all = HealthQuery::default();
    let (looks, _) = fleet
        .list_health_checks_of(&caller, site.site_id, all, SHOWN)
        .await?;
    Ok(HealthPanel::new(site, &standing, &looks, Timestamp::now()))
}

/// `POST /sites/{id}/check`
pub(crate) async fn check(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Failure> {
    let id = site_id(&id)?;
    console.fleet.check_health(&current.caller(), id).await?;
    Ok(Redirect::to(&format!("/sites/{id}#health")))
}

impl HealthPanel {
    pub(crate) fn new(
        site: &Environment,
        standing: &Standing,
        looks: &[HealthCheck],
        now: Timestamp,
    ) -> Self {
        let incident = standing.incident.as_ref();
        Self {
            href: format!("/sites/{}", site.id),
            state: Badge::of_health(standing.status),
            checked: standing.checked_at.map(|at| Moment::new(at, now)),
            incident: incident.map(|(since, why)| {
                let why = why.clone().unwrap_or_default();
                (Moment::new(*since, now), why.into())
            }),
            looks: looks.iter().map(|look| LookRow::new(look, now)).collect(),
            may_look: standing.status != "paused",
        }
    }
}

impl LookRow {
    fn new(look: &HealthCheck, now: Timestamp) -> Self {
        let status = look.http_status.map(|status| status.to_string());
        let took = look.response_time_ms.map(|took| format!("{took} ms"));
        let answered: Vec<String> = status.into_iter().chain(took).collect();
        Self {
            state: Badge::of_look(look.status),
            at: Moment::new(look.at, now),
            kind: wording::look_kind(look.kind.as_str()),
            answered: answered.join(", "),
            error: look.error.clone().unwrap_or_default().into(),
        }
    }
}
