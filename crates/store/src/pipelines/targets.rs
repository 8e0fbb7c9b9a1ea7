//! What a pipeline updates.

use crate::{Error, Read, Result, Tx, sql, stored::Stored};
use pressroom_base::id::{PipelineId, PipelineTargetId};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use serde_json::json;
use std::collections::BTreeMap;

names! {
    /// Where one target stands.
    TargetState {
        /// Its turn has not come.
        Pending = "pending",
        /// It is under way at the site.
        Updating = "updating",
        /// The new version is live, and was verified.
        Updated = "updated",
        /// It is not updated, or not taken back; what is said tells which.
        Failed = "failed",
        /// It was updated, and is verified to be as before.
        RolledBack = "rolled_back",
        /// It was not tried.
        Skipped = "skipped",
    }
}

impl TargetState {
    /// Whether a target stays in this state.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Updating)
    }
}

table! {
    /// One thing that a pipeline updates.
    TargetRow = target("pipeline_targets") {
        /// The row.
        id: PipelineTargetId,
        /// The pipeline.
        pipeline_id: PipelineId,
        /// Its place, from 1; the order of work once the preflight is over.
        ordinal: i32,
        /// `core`, `plugin` or `theme`.
        kind: String,
        /// Its directory; `core` for WordPress.
        slug: String,
        /// What people call it; empty until it was looked up.
        name: String,
        /// The version that was asked for; the newest, without.
        wanted: Option<String>,
        /// The version from before, once it is frozen.
        from_version: Option<String>,
        /// The version it goes to, once it is frozen.
        to_version: Option<String>,
        /// Whether WordPress uses it; unknown, without.
        active: Option<bool>,
        /// Where it stands.
        status: TargetState,
        /// What is wrong with it, in a sentence.
        error: Option<String>,
        /// What is to be known of it to judge and to report.
        detail: serde_json::Value,
    }
}

/// A target to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTarget {
    /// `core`, `plugin` or `theme`.
    pub kind: String,
    /// Its directory; `core` for WordPress.
    pub slug: String,
    /// The version that is asked for; the newest, without.
    pub wanted: Option<String>,
}

/// What changes of a target; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct TargetPatch {
    /// Its place.
    pub ordinal: Option<i32>,
    /// What people call it.
    pub name: Option<String>,
    /// The version from before.
    pub from_version: Option<String>,
    /// The version it goes to.
    pub to_version: Option<String>,
    /// Whether WordPress uses it.
    pub active: Option<bool>,
    /// Where it stands.
    pub status: Option<TargetState>,
    /// What is wrong with it.
    pub error: Option<String>,
    /// What is to be known of it.
    pub detail: Option<serde_json::Value>,
}

pub(super) async fn insert(tx: &Tx, pipeline: PipelineId, wanted: Vec<NewTarget>) -> Result<()> {
    for (ordinal, new) in (1..).zip(wanted) {
        let model = target::ActiveModel {
            pipeline_id: Set(pipeline.get()),
            ordinal: Set(ordinal),
            kind: Set(new.kind),
            slug: Set(new.slug),
            name: Set(String::new()),
            wanted: Set(new.wanted),
            from_version: Set(None),
            to_version: Set(None),
            active: Set(None),
            status: Set(TargetState::Pending.raw()),
            error: Set(None),
            detail: Set(json!({}).raw()),
            ..Default::default()
        };
        model
            .insert(tx.connection())
            .await
            .map_err(Error::of("target"))?;
    }
    Ok(())
}

/// The targets of a pipeline, in order.
pub async fn targets(from: &impl Read, pipeline: PipelineId) -> Result<Vec<TargetRow>> {
    let mut found = targets_of(from, &[pipeline]).await?;
    Ok(found.remove(&pipeline).unwrap_or_default())
}

/// The targets of several pipelines, each in order.
pub async fn targets_of(
    from: &impl Read,
    pipelines: &[PipelineId],
) -> Result<BTreeMap<PipelineId, Vec<TargetRow>>> {
    let found = target::Entity::find()
        .filter(target::Column::PipelineId.is_in(pipelines.iter().map(|id| id.get())))
        .order_by_asc(target::Column::Ordinal)
        .order_by_asc(target::Column::Id)
        .all(from.connection())
        .await?;
    let mut sorted: BTreeMap<PipelineId, Vec<TargetRow>> = BTreeMap::new();
    for model in found {
        let row = TargetRow::read(model)?;
        sorted.entry(row.pipeline_id).or_default().push(row);
    }
    Ok(sorted)
}

/// Changes one.
pub async fn set_target(tx: &Tx, id: PipelineTargetId, patch: TargetPatch) -> Result<TargetRow> {
    let missing = || Error::NotFound { what: "target" };
    let model = target::Entity::find_by_id(id.get())
        .one(tx.connection())
        .await?
        .ok_or_else(missing)?;
    let mut model: target::ActiveModel = model.into();
    macro_rules! patch {
        ($($field:ident),*) => {$(
            if let Some(value) = patch.$field {
                model.$field = Set(value.raw().into());
            }
        )*};
    }
    patch!(
        ordinal,
        name,
        from_version,
        to_version,
        active,
        status,
        error,
        detail
    );
    TargetRow::read(model.update(tx.connection()).await?)
}

/// Has those whose turn has not come be left out, for this reason.
pub async fn skip_others(tx: &Tx, pipeline: PipelineId, why: &str) -> Result<u64> {
    sql::run(
        tx,
        "UPDATE pipeline_targets SET status = 'skipped', error = $1 \
         WHERE pipeline_id = $2 AND status = 'pending'",
        [why.into(), pipeline.get().into()],
    )
    .await
}
