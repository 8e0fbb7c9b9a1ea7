//! Beginning a safe update: what is on offer with its exact versions, and how it is to be done.

use crate::{
    Console,
    errors::Failure,
    frame::{Frame, Section},
    pages::{
        fleet::name,
        path::site_id,
        pipelines::{called, href},
    },
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
    code,
    pipelines::{AskPipeline, AskTarget, RollBack, Strategy, Target, Wanted},
    views::Environment,
};
use time::{PrimitiveDateTime, macros::format_description};

#[derive(Template)]
#[template(path = "pipeline_begin.html")]
pub(crate) struct BeginPage {
    pub(crate) frame: Frame,
    /// The site's page.
    pub(crate) site: String,
    pub(crate) site_name: String,
    pub(crate) offers: Vec<Offer>,
}

/// One thing that could be updated.
#[derive(Debug)]
pub(crate) struct Offer {
    /// What the form calls it.
    pub(crate) value: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// `GET /sites/{id}/pipeline`
pub(crate) async fn ask(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Html<String>, Failure> {
    let (fleet, caller, id) = (&console.fleet, current.caller(), site_id(&id)?);
    let site = fleet
        .get_environment(&caller, Action::ComponentUpdate, id)
        .await?;
    let offers = match fleet.preview_pipeline(&caller, id, &Wanted::All).await {
        Ok(offers) => offers,
        Err(error) if error.code() == Some(code::UP_TO_DATE) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let frame = current.frame(format!("Update {}", name(&site)), Section::Sites);
    Ok(Html(BeginPage::new(frame, &site, &offers).render()?))
}

/// `POST /sites/{id}/pipeline`
pub(crate) async fn begin(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Redirect, Failure> {
    let id = site_id(&id)?;
    let asked = asked(fields)?;
    let made = console
        .fleet
        .ask_pipeline_at(&current.caller(), id, asked)
        .await?;
    Ok(Redirect::to(&href(&made.id)))
}

impl BeginPage {
    pub(crate) fn new(frame: Frame, site: &Environment, offers: &[Target]) -> Self {
        Self {
            frame,
            site: format!("/sites/{}", site.id),
            site_name: name(site).to_owned(),
            offers: offers.iter().map(Offer::new).collect(),
        }
    }
}

impl Offer {
    fn new(target: &Target) -> Self {
        let version = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        Self {
            value: match &target.slug {
                Some(slug) => format!("{}:{slug}", target.kind),
                None => "core:".to_owned(),
            },
            name: called(target),
            kind: wording::verified_kind(&target.kind),
            from: version(&target.from_version),
            to: version(&target.to_version),
        }
    }
}

/// What the form says. A switch that is not ticked is not sent.
fn asked(fields: Vec<(String, String)>) -> Result<AskPipeline, Failure> {
    let mut targets = Vec::new();
    let mut ask = AskPipeline {
        requires_approval: false,
        snapshot: false,
        ..AskPipeline::default()
    };
    for (name, value) in fields {
        match name.as_str() {
            "update" => {
                let (kind, slug) = value.split_once(':').ok_or_else(unknown)?;
                targets.push(AskTarget {
                    kind: kind.to_owned(),
                    slug: slug.to_owned(),
                    version: None,
                });
            }
            "ask_first" => ask.requires_approval = true,
            "snapshot" => ask.snapshot = true,
            "all_at_once" => ask.strategy = Strategy::AllAtOnce,
            "keep_broken" => ask.rollback = RollBack::Manual,
            "scheduled_at" if !value.trim().is_empty() => {
                ask.scheduled_at = Some(instant(value.trim()).ok_or_else(no_time)?);
            }
            "paths" => ask.paths = lines(&value),
            "note" => value.trim().clone_into(&mut ask.note),
            _ => {}
        }
    }
    ask.wanted = Wanted::These(targets);
    Ok(ask)
}

/// What a field of several lines says, one a line.
pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What browsers send of a date and a time, in UTC; seconds only where they are not zero.
fn instant(text: &str) -> Option<Timestamp> {
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let at = PrimitiveDateTime::parse(text, minutes)
        .or_else(|_| PrimitiveDateTime::parse(text, seconds))
        .ok()?;
    let millis = at.assume_utc().unix_timestamp().checked_mul(1000)?;
    Some(Timestamp::from_millis(millis))
}

fn unknown() -> Failure {
    Failure::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "That cannot work as it is",
        "What is to be updated is WordPress, a plugin or a theme",
    )
}

fn no_time() -> Failure {
    Failure::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "That cannot work as it is",
        "When it begins is a date and a time, such as `2026-11-23T04:30`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Result<AskPipeline, Failure> {
        let owned = fields.iter().map(|(name, value)| {
            let (name, value) = (*name, *value);
            (name.to_owned(), value.to_owned())
        });
        asked(owned.collect())
    }

    #[test]
    fn a_switch_that_is_not_sent_is_off() {
        let bare = form(&[("update", "plugin:shop")]).unwrap();
        assert!(!bare.requires_approval && !bare.snapshot);
        assert_eq!(bare.strategy, Strategy::Canary);
        let all = form(&[
            ("update", "plugin:shop"),
            ("update", "core:"),
            ("ask_first", "yes"),
            ("snapshot", "yes"),
            ("all_at_once", "yes"),
            ("keep_broken", "yes"),
            ("scheduled_at", "2026-05-18T10:39"),
            ("paths", "/\r\n /shop \r\n\r\n"),
            ("note", " now "),
        ])
        .unwrap();
        assert!(all.requires_approval && all.snapshot);
        assert_eq!(all.strategy, Strategy::AllAtOnce);
        assert_eq!(all.rollback, RollBack::Manual);
        assert_eq!(all.paths, ["/", "/shop"]);
        assert_eq!(all.note, "now");
        let at = all.scheduled_at.map(Timestamp::to_rfc3339);
        assert_eq!(at.as_deref(), Some("2026-05-18T10:39:00Z"));
        let Wanted::These(targets) = all.wanted else {
            panic!("{:?}", all.wanted)
        };
        let kinds: Vec<_> = targets.iter().map(|it| it.kind.as_str()).collect();
        assert_eq!(kinds, ["plugin", "core"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [("update", "shop"), ("scheduled_at", "tomorrow")] {
            assert!(form(&[wrong]).is_err(), "{wrong:?}");
        }
        assert!(
            form(&[("scheduled_at", "")])
                .unwrap()
                .scheduled_at
                .is_none()
        );
    }
}
