//! One snapshot: what it is, what can be done with it, and a question before what
//! cannot be taken back.

use crate::{
    Console,
    badge::Badge,
    errors::Failure,
    frame::{Frame, Section},
    moment::Moment,
    pages::{fleet::name, job::to_job, path::site_id},
    prose::Prose,
    session::Current,
    wording,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, Redirect},
};
use pressroom_base::Timestamp;
use pressroom_fleet::{
    authorize::Action,
    snapshots::{LinkSnapshot, RestoreSnapshot, Snapshot},
    views::Environment,
};
use serde::Deserialize;
use std::time::Duration;

/// A browser follows at once; the time is for slow redirects, not for passing it on.
const LINK_LASTS: Duration = Duration::from_mins(5);

#[derive(Template)]
#[template(path = "snapshot.html")]
pub(crate) struct SnapshotPage {
    pub(crate) frame: Frame,
    pub(crate) snapshot: SnapshotFacts,
}

/// A snapshot as its page shows it.
#[derive(Debug)]
pub(crate) struct SnapshotFacts {
    pub(crate) href: String,
    pub(crate) site: String,
    pub(crate) site_name: String,
    pub(crate) id: String,
    pub(crate) note: String,
    pub(crate) state: Badge,
    pub(crate) ready: bool,
    pub(crate) fault: Option<Prose>,
    pub(crate) taken: Moment,
    pub(crate) verified: Option<Moment>,
    pub(crate) until: Option<Moment>,
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Address of the job that made it.
    pub(crate) job: Option<String>,
    /// Whether a job works on the site, so that nothing can be restored.
    pub(crate) busy: Option<String>,
    pub(crate) may_read: bool,
    pub(crate) may_restore: bool,
}

/// A question before something is replaced or removed.
#[derive(Template)]
#[template(path = "confirm.html")]
pub(crate) struct ConfirmPage {
    pub(crate) frame: Frame,
    pub(crate) heading: String,
    /// What will happen, in order.
    pub(crate) points: Vec<String>,
    /// Where the form goes.
    pub(crate) action: String,
    /// Where one goes who does not want it.
    pub(crate) back: String,
    pub(crate) button: &'static str,
    /// Whether it is asked if the present state is kept.
    pub(crate) offers_keeping: bool,
}

#[derive(Deserialize)]
pub(crate) struct Restore {
    /// Ticked means that no snapshot of the present is taken first.
    #[serde(default)]
    forget_present: String,
}

/// `GET /sites/{id}/snapshots/{snapshot}`
pub(crate) async fn show(
    State(console): State<Console>,
    current: Current,
    Path(path): Path<(String, String)>,
) -> Result<Html<String>, Failure> {
    let (site, snapshot) = find(&console, &current, Action::SiteRead, &path).await?;
    let page = SnapshotPage {
        frame: current.frame(format!("Snapshot {}", snapshot.id), Section::Sites),
        snapshot: SnapshotFacts::new(&site, &snapshot, &current, Timestamp::now()),
    };
    Ok(Html(page.render()?))
}

/// `POST /sites/{id}/snapshots/{snapshot}/verify`
pub(crate) async fn verify(
    State(console): State<Console>,
    current: Current,
    Path(path): Path<(String, String)>,
) -> Result<Redirect, Failure> {
    let (_, snapshot) = find(&console, &current, Action::SnapshotCreate, &path).await?;
    let job = console
        .fleet
        .start_verify_snapshot(&current.caller(), &snapshot.id)
        .await?;
    Ok(to_job(&job))
}

/// `POST /sites/{id}/snapshots/{snapshot}/download`: a link for this one download.
pub(crate) async fn download(
    State(console): State<Console>,
    current: Current,
    Path(path): Path<(String, String)>,
) -> Result<Redirect, Failure> {
    let (site, snapshot) = find(&console, &current, Action::SnapshotCreate, &path).await?;
    let new = LinkSnapshot {
        environment: Some(site.id),
        lasts: LINK_LASTS,
        once: true,
    };
    let link = console
        .fleet
        .link_snapshot(&current.caller(), &snapshot.id, new)
        .await?;
    // Not the whole address: whoever is here has come by one that works.
    Ok(Redirect::to(link.path.expose()))
}

/// `GET /sites/{id}/snapshots/{snapshot}/restore`
pub(crate) async fn ask_restore(
    State(console): State<Console>,
    current: Current,
    Path(path): Path<(String, String)>,
) -> Result<Html<String>, Failure> {
    let (site, snapshot) = find(&console, &current, Action::SnapshotRestore, &path).await?;
    refuse_unready(&snapshot)?;
    Ok(Html(
        ConfirmPage::restore(&site, &snapshot, &current).render()?,
    ))
}

/// `POST /sites/{id}/snapshots/{snapshot}/restore`
pub(crate) async fn restore(
    State(console): State<Console>,
    current: Current,
    Path(path): Path<(String, String)>,
    Form(form): Form<Restore>,
) -> Result<Redirect, Failure> {
    let (site, snapshot) = find(&console, &current, Action::SnapshotRestore, &path).await?;
    let restore = RestoreSnapshot {
        snapshot: snapshot.id,
        keep_present: form.forget_present.is_empty(),
        part: None,
        force: false,
    };
    let job = console
        .fleet
        .restore_snapshot(&current.caller(), site.id, restore)
        .await?;
    Ok(to_job(&job))
}

/// `GET /sites/{id}/snapshots/{snapshot}/remove`
pub(crate) async fn ask_remove(
    State(console): State<Console>,
    current: Current,
    Path(path): Path<(String, String)>,
) -> Result<Html<String>, Failure> {
    let (site, snapshot) = find(&console, &current, Action::SnapshotRestore, &path).await?;
    refuse_unready(&snapshot)?;
    Ok(Html(
        ConfirmPage::remove(&site, &snapshot, &current).render()?,
    ))
}

/// `POST /sites/{id}/snapshots/{snapshot}/remove`
pub(crate) async fn remove(
    State(console): State<Console>,
    current: Current,
    Path(path): Path<(String, String)>,
) -> Result<Redirect, Failure> {
    let (site, snapshot) = find(&console, &current, Action::SnapshotRestore, &path).await?;
    console
        .fleet
        .remove_snapshot(&current.caller(), &snapshot.id)
        .await?;
    Ok(Redirect::to(&format!("/sites/{}#snapshots", site.id)))
}

/// The site and its snapshot that an address names. The site comes first, so that
/// somebody else's is as missing with a snapshot as without.
async fn find(
    console: &Console,
    current: &Current,
    action: Action,
    (site, snapshot): &(String, String),
) -> Result<(Environment, Snapshot), Failure> {
    let (caller, id) = (current.caller(), site_id(site)?);
    let fleet = &console.fleet;
    let site = fleet.get_environment(&caller, action, id).await?;
    let snapshot = fleet.get_snapshot(&caller, action, id, snapshot).await?;
    Ok((site, snapshot))
}

fn refuse_unready(snapshot: &Snapshot) -> Result<(), Failure> {
    if snapshot.state == "ready" {
        return Ok(());
    }
    Err(Failure::new(
        StatusCode::CONFLICT,
        "That is not possible right now",
        "There is no archive of this snapshot",
    ))
}

impl SnapshotFacts {
    pub(crate) fn new(
        site: &Environment,
        snapshot: &Snapshot,
        current: &Current,
        now: Timestamp,
    ) -> Self {
        let moment = |at| Moment::new(at, now);
        let ready = snapshot.state == "ready";
        Self {
            href: format!("/sites/{}/snapshots/{}", site.id, snapshot.id),
            site: format!("/sites/{}", site.id),
            site_name: name(site).to_owned(),
            id: snapshot.id.clone(),
            note: snapshot.note.clone(),
            state: Badge::of_snapshot(snapshot),
            ready,
            fault: snapshot.fault.as_deref().map(Prose::from),
            taken: moment(snapshot.created_at),
            verified: snapshot.verified_at.map(moment),
            until: snapshot.expires_at.map(moment),
            facts: [
                ("Holds", wording::contents(snapshot).to_owned()),
                ("WordPress", snapshot.wordpress_version.clone()),
                ("Packed as", snapshot.format.clone()),
                (
                    "Size",
                    if ready {
                        wording::bytes(snapshot.size)
                    } else {
                        String::new()
                    },
                ),
                ("SHA-256", snapshot.sha256.clone().unwrap_or_default()),
            ]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect(),
            job: snapshot.job_id.map(|job| format!("/jobs/{job}")),
            busy: site.busy.map(|job| format!("/jobs/{job}")),
            may_read: current.may(Action::SnapshotCreate, site.account_id),
            may_restore: current.may(Action::SnapshotRestore, site.account_id),
        }
    }
}

impl ConfirmPage {
    pub(crate) fn restore(site: &Environment, snapshot: &Snapshot, current: &Current) -> Self {
        let back = format!("/sites/{}/snapshots/{}", site.id, snapshot.id);
        let taken = snapshot.created_at.to_rfc3339().replace('T', " at ");
        let taken = taken.replace('Z', " UTC");
        Self {
            frame: current.frame("Restore a snapshot", Section::Sites),
            heading: format!("Put {} back as it was?", site.domain),
            points: vec![
                format!(
                    "{} of {} is replaced by those of {taken}",
                    match snapshot.contents.as_str() {
                        "database" => "Every table",
                        "files" => "Every file",
                        _ => "Every file and every table",
                    },
                    site.domain
                ),
                "What was written since then – posts, comments, orders, uploads – is not \
                 on the site afterwards"
                    .to_owned(),
                "For a moment visitors see that the site is in maintenance".to_owned(),
                "When the restored site does not answer as well as before, all of it is \
                 taken back"
                    .to_owned(),
            ],
            action: format!("{back}/restore"),
            back,
            button: "Restore this snapshot",
            offers_keeping: true,
        }
    }

    pub(crate) fn remove(site: &Environment, snapshot: &Snapshot, current: &Current) -> Self {
        let back = format!("/sites/{}/snapshots/{}", site.id, snapshot.id);
        Self {
            frame: current.frame("Delete a snapshot", Section::Sites),
            heading: format!("Delete this snapshot of {}?", site.domain),
            points: vec![
                format!(
                    "The archive of {} is deleted for good",
                    wording::bytes(snapshot.size)
                ),
                "Links to it give nothing any more".to_owned(),
                "The site itself stays as it is".to_owned(),
            ],
            action: format!("{back}/remove"),
            back,
            button: "Delete this snapshot",
            offers_keeping: false,
        }
    }
}
