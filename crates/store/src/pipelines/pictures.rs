//! Pictures of pages before and after. The bytes are in the archive; a row is there before
//! they are, and goes after them, so that none are ever without one.

use crate::{Error, Lookup, Read, Result, Scope, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, PipelineId, PipelinePictureId, ShortId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, Set,
};
use std::time::Duration;

names! {
    /// Whether there is a picture to be had.
    PictureState {
        /// It is on its way into the archive.
        Writing = "writing",
        /// It is in the archive.
        Kept = "kept",
        /// It is to be removed.
        Dropped = "dropped",
    }
}

names! {
    /// When a picture was taken.
    PictureMoment {
        /// Before the updates.
        Before = "before",
        /// After them.
        After = "after",
    }
}

table! {
    /// A page as a browser showed it before or after an update.
    PictureRow = picture("pipeline_pictures") {
        /// The row.
        id: PipelinePictureId,
        /// What programs call it, and the archive; unique.
        short_id: ShortId,
        /// The pipeline; it may be gone.
        pipeline_id: PipelineId,
        /// Whose it is.
        account_id: AccountId,
        /// The site that is shown, or of whose clone this is.
        environment_id: EnvironmentId,
        /// The stage that took it.
        stage: String,
        /// The target that was tried by itself: `plugin shop`; all together, without.
        target: Option<String>,
        /// The page's address, relative to the site.
        page: String,
        /// On which screen: `desktop` or `phone`.
        screen: String,
        /// Before or after.
        moment: PictureMoment,
        /// What the look called it: before and after of a page have their own.
        shot: String,
        /// CSS pixels of the page as shown; the file may be smaller.
        width: i32,
        /// The same.
        height: i32,
        /// What changed: rectangles `{x, y, width, height}` in CSS pixels of the picture before.
        areas: serde_json::Value,
        /// Whether before and after differ at all.
        changed: bool,
        /// Bytes of the file.
        size: i64,
        /// Whether it is there.
        state: PictureState,
        /// When it was kept.
        at: Timestamp,
    }
}

/// A picture to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPicture {
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The site that is shown.
    pub environment_id: EnvironmentId,
    /// The stage that took it.
    pub stage: String,
    /// The target that was tried by itself.
    pub target: Option<String>,
    /// The page's address.
    pub page: String,
    /// On which screen.
    pub screen: String,
    /// Before or after.
    pub moment: PictureMoment,
    /// What the look called it.
    pub shot: String,
    /// CSS pixels of the page as shown.
    pub width: i32,
    /// The same.
    pub height: i32,
    /// What changed, in CSS pixels of the picture before.
    pub areas: serde_json::Value,
    /// Whether before and after differ at all.
    pub changed: bool,
    /// Bytes of the file.
    pub size: i64,
}

/// Writes down that a picture is about to be written into the archive.
pub async fn add_picture(tx: &Tx, new: NewPicture) -> Result<PictureRow> {
    let now = tx.now().await?;
    let model = picture::ActiveModel {
        short_id: Set(ShortId::random().raw()),
        pipeline_id: Set(new.pipeline_id.get()),
        account_id: Set(new.account_id.get()),
        environment_id: Set(new.environment_id.get()),
        stage: Set(new.stage),
        target: Set(new.target),
        page: Set(new.page),
        screen: Set(new.screen),
        moment: Set(new.moment.raw()),
        shot: Set(new.shot),
        width: Set(new.width),
        height: Set(new.height),
        areas: Set(new.areas.raw()),
        changed: Set(new.changed),
        size: Set(new.size),
        state: Set(PictureState::Writing.raw()),
        at: Set(now.millis()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("picture"))?;
    PictureRow::read(model)
}

/// It is in the archive. `false` where it was dropped meanwhile.
pub async fn keep_picture(tx: &Tx, id: PipelinePictureId) -> Result<bool> {
    let kept = sql::run(
        tx,
        "UPDATE pipeline_pictures SET state = 'kept' WHERE id = $1 AND state = 'writing'",
        [id.get().into()],
    )
    .await?;
    Ok(kept > 0)
}

/// Has the pictures of a stage be removed: it is run anew.
pub async fn drop_pictures(tx: &Tx, pipeline: PipelineId, stage: &str) -> Result<u64> {
    sql::run(
        tx,
        "UPDATE pipeline_pictures SET state = 'dropped' WHERE pipeline_id = $1 AND stage = $2",
        [pipeline.get().into(), stage.into()],
    )
    .await
}

/// Has those of a stage be removed that show one target, or all of them together.
pub async fn drop_pictures_of(
    tx: &Tx,
    pipeline: PipelineId,
    stage: &str,
    target: Option<&str>,
) -> Result<u64> {
    sql::run(
        tx,
        "UPDATE pipeline_pictures SET state = 'dropped' WHERE pipeline_id = $1 AND stage = $2 \
         AND COALESCE(target, '') = $3",
        [
            pipeline.get().into(),
            stage.into(),
            target.unwrap_or_default().into(),
        ],
    )
    .await
}

/// The pictures of a pipeline that are there, in the order in which they were kept.
pub async fn pictures(from: &impl Read, pipeline: PipelineId) -> Result<Vec<PictureRow>> {
    let found = picture::Entity::find()
        .filter(picture::Column::PipelineId.eq(pipeline.get()))
        .filter(picture::Column::State.eq(PictureState::Kept.as_str()))
        .order_by_asc(picture::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(PictureRow::read).collect()
}

/// The picture that programs call so, if it is there.
pub async fn picture(from: &impl Read, scope: &Scope, id: &ShortId) -> Result<Lookup<PictureRow>> {
    let found = picture::Entity::find()
        .filter(picture::Column::ShortId.eq(id.as_str()))
        .filter(picture::Column::State.eq(PictureState::Kept.as_str()))
        .one(from.connection())
        .await?
        .map(PictureRow::read)
        .transpose()?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// At most `limit` pictures that are to be removed: dropped ones, those whose pipeline is gone
/// or has been over for `lasts`, and those that nobody has finished writing within `writing`.
pub async fn loose_pictures(
    from: &impl Read,
    lasts: Duration,
    writing: Duration,
    limit: u64,
) -> Result<Vec<PictureRow>> {
    let now = from.shared().now().await?;
    let found = sql::all(
        from,
        format!(
            "SELECT f.* FROM pipeline_pictures f LEFT JOIN pipelines p ON p.id = f.pipeline_id \
             WHERE f.state = 'dropped' OR p.id IS NULL OR p.finished_at < $1 \
             OR (f.state = 'writing' AND f.at < $2) ORDER BY f.id LIMIT {limit}"
        ),
        [
            now.minus(lasts).millis().into(),
            now.minus(writing).millis().into(),
        ],
    )
    .await?;
    found
        .iter()
        .map(|row| PictureRow::read(picture::Model::from_query_result(row, "")?))
        .collect()
}

/// Forgets a picture whose bytes are gone.
pub async fn forget_picture(tx: &Tx, id: PipelinePictureId) -> Result<()> {
    sql::run(
        tx,
        "DELETE FROM pipeline_pictures WHERE id = $1",
        [id.get().into()],
    )
    .await?;
    Ok(())
}
