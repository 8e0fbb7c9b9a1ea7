//! What a pipeline found.

use crate::{Read, Result, Tx, sql};
use pressroom_base::{
    Timestamp,
    id::{PipelineFindingId, PipelineId},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

table! {
    /// Something that is otherwise than it was.
    FindingRow = finding("pipeline_findings") {
        /// The row.
        id: PipelineFindingId,
        /// The pipeline.
        pipeline_id: PipelineId,
        /// The stage that found it.
        stage: String,
        /// The target it is blamed on: `plugin shop`; unknown, without.
        target: Option<String>,
        /// What it is.
        what: String,
        /// How much it weighs.
        severity: String,
        /// Where it was seen.
        place: String,
        /// How it was there before.
        was: String,
        /// How it is.
        now: String,
        /// The same in a sentence.
        message: String,
        /// When.
        at: Timestamp,
    }
}

/// A finding to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFinding {
    /// The stage that found it.
    pub stage: String,
    /// The target it is blamed on.
    pub target: Option<String>,
    /// What it is.
    pub what: String,
    /// How much it weighs.
    pub severity: String,
    /// Where it was seen.
    pub place: String,
    /// How it was there before.
    pub was: String,
    /// How it is.
    pub now: String,
    /// The same in a sentence.
    pub message: String,
}

/// Records findings.
pub async fn add_findings(tx: &Tx, pipeline: PipelineId, found: Vec<NewFinding>) -> Result<()> {
    let now = tx.now().await?;
    for new in found {
        let model = finding::ActiveModel {
            pipeline_id: Set(pipeline.get()),
            stage: Set(new.stage),
            target: Set(new.target),
            what: Set(new.what),
            severity: Set(new.severity),
            place: Set(new.place),
            was: Set(new.was),
            now: Set(new.now),
            message: Set(new.message),
            at: Set(now.millis()),
            ..Default::default()
        };
        model.insert(tx.connection()).await?;
    }
    Ok(())
}

/// Forgets what a stage found: it is run anew.
pub async fn drop_findings(tx: &Tx, pipeline: PipelineId, stage: &str) -> Result<u64> {
    sql::run(
        tx,
        "DELETE FROM pipeline_findings WHERE pipeline_id = $1 AND stage = $2",
        [pipeline.get().into(), stage.into()],
    )
    .await
}

/// What a pipeline found, oldest first.
pub async fn findings(from: &impl Read, pipeline: PipelineId) -> Result<Vec<FindingRow>> {
    let found = finding::Entity::find()
        .filter(finding::Column::PipelineId.eq(pipeline.get()))
        .order_by_asc(finding::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(FindingRow::read).collect()
}
