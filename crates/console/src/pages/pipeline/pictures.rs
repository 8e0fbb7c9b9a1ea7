//! Pages before and after, side by side, and their files.

use crate::{
    Console,
    errors::Failure,
    pages::{path::pipeline_id, pipelines::href},
    session::Current,
};
use axum::{
    extract::{Path, State},
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use pressroom_base::id::ShortId;
use pressroom_fleet::pipelines::{Area, PictureMoment, PipelineDetails, PipelinePicture};

/// A browser may show it again for this long without asking; nobody else may keep it.
const KEPT: &str = "private, max-age=3600";

/// The pictures of one look at all pages.
#[derive(Debug)]
pub(crate) struct PictureGroup {
    pub(crate) title: String,
    pub(crate) pairs: Vec<PicturePair>,
}

/// One page before and after.
#[derive(Debug)]
pub(crate) struct PicturePair {
    pub(crate) anchor: String,
    pub(crate) page: String,
    pub(crate) screen: String,
    pub(crate) changed: bool,
    pub(crate) before: Option<Shown>,
    pub(crate) after: Option<Shown>,
}

/// One picture.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) src: String,
    pub(crate) alt: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// What changed, marked on it.
    pub(crate) marks: Vec<Area>,
}

/// `GET /pipelines/{id}/pictures/{picture}`
pub(crate) async fn serve(
    State(console): State<Console>,
    current: Current,
    Path((id, picture)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let id = pipeline_id(&id)?;
    let picture = ShortId::parse(&picture).ok_or_else(Failure::missing)?;
    let open = console
        .fleet
        .open_picture(&current.caller(), &id, &picture)
        .await?;
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, KEPT)];
    Ok((headers, open.png).into_response())
}

/// Where a picture's pair is on the page.
pub(crate) fn anchor(picture: &PipelinePicture) -> String {
    let mut text = format!("picture-{}-{}", picture.stage, picture.screen);
    for name in [picture.target.as_deref().unwrap_or_default(), &picture.page] {
        text.push('-');
        // An id has no spaces, and what else is in an address is of no use in one.
        text.extend(name.bytes().map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte)
            } else {
                '_'
            }
        }));
    }
    text
}

/// All pictures as pairs, by the look that took them; the latest look first, in each what
/// differs most first.
pub(crate) fn paired(details: &PipelineDetails) -> Vec<PictureGroup> {
    let mut groups: Vec<((String, Option<String>), PictureGroup)> = Vec::new();
    for picture in &details.pictures {
        let key = (picture.stage.clone(), picture.target.clone());
        let at = groups.iter().position(|(known, _)| *known == key);
        let at = at.unwrap_or_else(|| {
            let title = title(picture);
            let pairs = Vec::new();
            groups.push((key, PictureGroup { title, pairs }));
            groups.len() - 1
        });
        if let Some((_, group)) = groups.get_mut(at) {
            add(&mut group.pairs, picture, &details.pipeline.id);
        }
    }
    groups.reverse();
    groups.into_iter().map(|(_, group)| group).collect()
}

fn add(pairs: &mut Vec<PicturePair>, picture: &PipelinePicture, pipeline: &str) {
    let same = pairs
        .iter()
        .position(|pair| pair.page == picture.page && pair.screen == picture.screen);
    let at = same.unwrap_or_else(|| {
        pairs.push(PicturePair {
            anchor: anchor(picture),
            page: picture.page.clone(),
            screen: picture.screen.clone(),
            changed: !picture.areas.is_empty(),
            before: None,
            after: None,
        });
        pairs.len() - 1
    });
    let Some(pair) = pairs.get_mut(at) else {
        return;
    };
    let shown = Shown::new(picture, pipeline);
    match picture.moment {
        PictureMoment::Before => pair.before = Some(shown),
        PictureMoment::After => pair.after = Some(shown),
    }
}

impl PicturePair {
    /// Before and after, with what they are called.
    pub(crate) fn sides(&self) -> [(&'static str, Option<&Shown>); 2] {
        [
            ("Before", self.before.as_ref()),
            ("After", self.after.as_ref()),
        ]
    }
}

fn title(picture: &PipelinePicture) -> String {
    match (picture.stage.as_str(), &picture.target) {
        ("rehearsal", None) => "In the clone, with all updates".to_owned(),
        ("rehearsal", Some(target)) => format!("In the clone, with {target}"),
        ("verification", _) => "At the site, after all updates".to_owned(),
        (stage, _) => stage.replace('_', " "),
    }
}

impl Shown {
    fn new(picture: &PipelinePicture, pipeline: &str) -> Self {
        let is_before = picture.moment == PictureMoment::Before;
        let when = if is_before { "before" } else { "after" };
        Self {
            src: format!("{}/pictures/{}", href(pipeline), picture.id),
            alt: format!(
                "{} on a {} {when} the updates",
                picture.page, picture.screen
            ),
            width: picture.width,
            height: picture.height,
            // Afterwards things may stand a little higher or lower.
            marks: if is_before {
                picture.areas.clone()
            } else {
                Vec::new()
            },
        }
    }
}
