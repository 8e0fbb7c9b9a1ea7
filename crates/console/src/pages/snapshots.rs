//! A site's snapshots as its page lists them, and taking one.

use crate::{
    Console,
    badge::Badge,
    errors::Failure,
    moment::Moment,
    pages::{job::to_job, path::site_id},
    session::Current,
    wording,
};
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Redirect,
};
use pressroom_base::Timestamp;
use pressroom_fleet::{
    authorize::Action,
    snapshots::{Contents, NewSnapshot, Snapshot},
    views::Environment,
};
use serde::Deserialize;

/// Rows on a site's page; `pressroom snapshot list` shows all.
const SHOWN: usize = 50;

/// The snapshots of a site that are there, or were to be.
#[derive(Debug)]
pub(crate) struct SnapshotList {
    pub(crate) href: String,
    pub(crate) rows: Vec<SnapshotLine>,
    /// How many there are beyond those shown.
    pub(crate) more: usize,
    pub(crate) may_take: bool,
}

/// One snapshot in the list.
#[derive(Debug)]
pub(crate) struct SnapshotLine {
    pub(crate) href: String,
    pub(crate) id: String,
    pub(crate) note: String,
    pub(crate) holds: &'static str,
    pub(crate) state: Badge,
    pub(crate) taken: Moment,
    pub(crate) size: Option<String>,
    pub(crate) until: Option<Moment>,
}

/// The form.
#[derive(Deserialize)]
pub(crate) struct Take {
    #[serde(default)]
    note: String,
    /// Empty is all of it.
    #[serde(default)]
    contents: String,
    /// Empty keeps it.
    #[serde(default)]
    keep_days: String,
}

/// `POST /sites/{id}/snapshots`
pub(crate) async fn create(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(form): Form<Take>,
) -> Result<Redirect, Failure> {
    let keep_days = match form.keep_days.as_str() {
        "" => None,
        days => Some(days.parse().map_err(|_| unknown_time())?),
    };
    let new = NewSnapshot {
        contents: match form.contents.as_str() {
            "" | "full" => Contents::Full,
            "database" => Contents::Database,
            "files" => Contents::Files,
            _ => return Err(unknown_contents()),
        },
        zip: false,
        note: form.note.trim().to_owned(),
        keep_days,
        ..NewSnapshot::default()
    };
    let (_, job) = console
        .fleet
        .create_snapshot(&current.caller(), site_id(&id)?, new)
        .await?;
    Ok(to_job(&job))
}

fn unknown_contents() -> Failure {
    Failure::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "That cannot work as it is",
        "A snapshot holds tables and files, or one of the two",
    )
}

fn unknown_time() -> Failure {
    Failure::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "That cannot work as it is",
        "How long to keep a snapshot is a number of days",
    )
}

impl SnapshotList {
    pub(crate) fn new(
        site: &Environment,
        snapshots: &[Snapshot],
        current: &Current,
        now: Timestamp,
    ) -> Self {
        let href = format!("/sites/{}/snapshots", site.id);
        // Of one that was removed there is nothing left to do anything with.
        let there: Vec<_> = snapshots
            .iter()
            .filter(|snapshot| !["expired", "deleted"].contains(&snapshot.state.as_str()))
            .collect();
        Self {
            rows: there
                .iter()
                .take(SHOWN)
                .map(|snapshot| SnapshotLine::new(&href, snapshot, now))
                .collect(),
            more: there.len().saturating_sub(SHOWN),
            may_take: current.may(Action::SnapshotCreate, site.account_id),
            href,
        }
    }
}

impl SnapshotLine {
    fn new(list: &str, snapshot: &Snapshot, now: Timestamp) -> Self {
        let moment = |at| Moment::new(at, now);
        Self {
            href: format!("{list}/{}", snapshot.id),
            id: snapshot.id.clone(),
            note: snapshot.note.clone(),
            holds: wording::contents(snapshot),
            state: Badge::of_snapshot(snapshot),
            taken: moment(snapshot.created_at),
            size: (snapshot.state == "ready").then(|| wording::bytes(snapshot.size)),
            until: snapshot.expires_at.map(moment),
        }
    }
}
