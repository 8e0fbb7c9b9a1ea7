//! Keeping what was seen before and after.

use super::place::{LARGEST, key_of};
use crate::{
    Error, Result,
    pipelines::{StageName, course::Course, looking::Shown, picture::Area},
};
use pressroom_store::{NewPicture, PictureMoment, pipelines};
use pressroom_visitor::{Difference, Picture, impression::Shot, shrink};
use std::sync::Arc;

/// Pages that are kept of one pair of looks.
const MOST_PAGES: usize = 8;

/// A look from before, and the one that is held against it.
pub(in crate::pipelines) struct Pair<'a> {
    /// Which part of the pipeline looked.
    pub(in crate::pipelines) stage: StageName,
    /// The target that was tried by itself; all together, without.
    pub(in crate::pipelines) target: Option<String>,
    /// Before the updates.
    pub(in crate::pipelines) before: &'a Arc<Shown>,
    /// After them.
    pub(in crate::pipelines) after: &'a Arc<Shown>,
}

/// Keeps the two pictures of each page, the most different pages first, instead of those of an
/// earlier attempt. What cannot be kept is told in the job's output, and nothing depends on it.
pub(in crate::pipelines) async fn keep_pictures(
    course: &Course<'_>,
    pair: &Pair<'_>,
    differences: &[Difference],
) {
    if let Err(error) = drop_earlier(course, pair).await {
        note(course, "pictures", &error);
        return;
    }
    let mut sorted: Vec<&Difference> = differences.iter().collect();
    sorted.sort_by(|one, other| other.share.total_cmp(&one.share));
    let mut kept = 0;
    for difference in sorted.into_iter().take(MOST_PAGES) {
        for (moment, shown, name) in [
            (PictureMoment::Before, pair.before, &difference.before),
            (PictureMoment::After, pair.after, &difference.after),
        ] {
            let Some((picture, shot)) = shown.picture(name) else {
                continue;
            };
            if course.ctx.check().is_err() {
                return;
            }
            match keep(course, pair, difference, moment, (picture, shot)).await {
                Ok(()) => kept += 1,
                Err(error) => note(course, &format!("the picture of {}", shot.page), &error),
            }
        }
    }
    if kept > 0 {
        course.ctx.line(format!("{kept} pictures are kept"));
    }
}

fn note(course: &Course<'_>, what: &str, error: &Error) {
    let text = format!("{what} could not be kept: {}", error.message());
    course.ctx.line(text);
    tracing::warn!(pipeline = %course.id(), %error, "a picture was not kept");
}

async fn drop_earlier(course: &Course<'_>, pair: &Pair<'_>) -> Result<()> {
    let tx = course.ctx.begin().await?;
    let (id, stage) = (course.row().id, pair.stage.as_str());
    pipelines::drop_pictures_of(&tx, id, stage, pair.target.as_deref()).await?;
    tx.commit().await?;
    Ok(())
}

/// Writes one picture: the row, the bytes, and that they are there.
async fn keep(
    course: &Course<'_>,
    pair: &Pair<'_>,
    difference: &Difference,
    moment: PictureMoment,
    (picture, shot): (&Picture, &Shot),
) -> Result<()> {
    let png = picture.png.clone();
    let shrunk = tokio::task::spawn_blocking(move || shrink(&png, LARGEST)).await;
    let png = shrunk
        .map_err(Error::internal)?
        .ok_or_else(|| Error::invalid("it is too large, or no picture"))?;
    let areas: Vec<Area> = difference.areas.iter().map(Area::of).collect();
    let row = course.row();
    let new = NewPicture {
        pipeline_id: row.id,
        account_id: row.account_id,
        environment_id: row.environment_id,
        stage: pair.stage.as_str().to_owned(),
        target: pair.target.clone(),
        page: shot.page.clone(),
        screen: shot.screen.as_str().to_owned(),
        moment,
        shot: shot.name.clone(),
        width: i32::try_from(shot.width).unwrap_or(i32::MAX),
        height: i32::try_from(shot.height).unwrap_or(i32::MAX),
        changed: !areas.is_empty(),
        areas: serde_json::to_value(areas).map_err(Error::internal)?,
        size: i64::try_from(png.len()).unwrap_or(i64::MAX),
    };
    let tx = course.ctx.begin().await?;
    let row = pipelines::add_picture(&tx, new).await?;
    tx.commit().await?;
    let objects = course.fleet.parts.archive.objects();
    objects.put_new(&key_of(&row)?, &png).await?;
    let tx = course.ctx.begin().await?;
    pipelines::keep_picture(&tx, row.id).await?;
    tx.commit().await?;
    Ok(())
}
