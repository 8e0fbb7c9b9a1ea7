//! Safe updates of sites: what is to be updated, how far that came, what was found.
//!
//! Each change of a status is one conditional statement: of two that mean to act on what a
//! pipeline is, one does. A job's changes are fenced by the transaction it hands in.

mod findings;
mod pictures;
mod schedule;
mod targets;

pub use findings::{FindingRow, NewFinding, add_findings, drop_findings, findings};
pub use pictures::{
    NewPicture, PictureMoment, PictureRow, PictureState, add_picture, drop_pictures,
    drop_pictures_of, forget_picture, keep_picture, loose_pictures, picture, pictures,
};
pub use schedule::{disappointed, due, lapsed, prune, waiting};
pub use targets::{
    NewTarget, TargetPatch, TargetRow, TargetState, set_target, skip_others, targets, targets_of,
};

use crate::{Error, Lookup, Page, Read, Result, Scope, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, JobId, PipelineId, ShortId, SiteId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Set,
};
use std::collections::HashMap;

names! {
    /// Where a pipeline stands.
    PipelineState {
        /// Its turn has not come.
        Pending = "pending",
        /// What is to be done is made out, and how the site is before.
        Preflight = "preflight",
        /// The site is packed into the archive.
        Snapshotting = "snapshotting",
        /// The updates are tried in a throw-away clone.
        Rehearsing = "rehearsing",
        /// Somebody is to say yes.
        AwaitingApproval = "awaiting_approval",
        /// Somebody has; its turn has not come.
        Approved = "approved",
        /// Targets are updated at the site, one by one.
        Upgrading = "upgrading",
        /// The site is looked at as a whole.
        Verifying = "verifying",
        /// What was updated is taken back.
        RollingBack = "rolling_back",
        /// Over: the targets that are `updated` were verified to be.
        Completed = "completed",
        /// Over: it came to nothing, and what is said tells what is left.
        Failed = "failed",
        /// Over: the site was verified to be as it was.
        RolledBack = "rolled_back",
        /// Over before anything was updated.
        Cancelled = "cancelled",
    }
}

impl PipelineState {
    /// Whether nothing of a pipeline is at the site yet.
    pub const fn is_before_upgrade(self) -> bool {
        !matches!(self, Self::Upgrading | Self::Verifying | Self::RollingBack) && !self.is_final()
    }

    /// Whether a pipeline stays in this state.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Failed | Self::RolledBack | Self::Cancelled
        )
    }
}

table! {
    /// A safe update of one site.
    PipelineRow = pipeline("pipelines") {
        /// The row.
        id: PipelineId,
        /// What programs call it; unique.
        short_id: ShortId,
        /// The site; it may be gone.
        site_id: SiteId,
        /// Whose it is.
        account_id: AccountId,
        /// Where it is done.
        environment_id: EnvironmentId,
        /// Where it stands.
        status: PipelineState,
        /// How it is to be done.
        options: serde_json::Value,
        /// How far each stage came.
        stages: serde_json::Value,
        /// Whether somebody is to say yes before the site is touched.
        requires_approval: bool,
        /// When it may begin, or go on once it is approved; at once, without.
        scheduled_at: Option<Timestamp>,
        /// What it shares with others of its account that are one undertaking.
        rollout: Option<String>,
        /// Whether the others of its rollout wait for it.
        canary: bool,
        /// Who said yes, and what they said.
        approval: Option<serde_json::Value>,
        /// Until when somebody may.
        approval_until: Option<Timestamp>,
        /// What became of taking the whole back.
        back: Option<serde_json::Value>,
        /// The archive snapshot from before, as programs call it.
        snapshot_id: Option<String>,
        /// The look at the site from before, as programs call it.
        baseline_check_id: Option<String>,
        /// The last look at it, as programs call it.
        final_check_id: Option<String>,
        /// What went wrong, in a sentence.
        error: Option<String>,
        /// The job that is, or was last, at it.
        job_id: Option<JobId>,
        /// Who asked for it; `None` at this machine's own command line.
        created_by: Option<UserId>,
        /// Their name in the activity log.
        actor: String,
        /// When it was asked for.
        created_at: Timestamp,
        /// When its preflight began for the first time.
        started_at: Option<Timestamp>,
        /// When it was over.
        finished_at: Option<Timestamp>,
        /// When it last changed.
        updated_at: Timestamp,
    }
}

/// A pipeline to record.
#[derive(Debug, Clone)]
pub struct NewPipeline {
    /// The site.
    pub site_id: SiteId,
    /// Whose it is.
    pub account_id: AccountId,
    /// Where it is done.
    pub environment_id: EnvironmentId,
    /// How it is to be done.
    pub options: serde_json::Value,
    /// Its stages, before any of them.
    pub stages: serde_json::Value,
    /// Whether somebody is to say yes before the site is touched.
    pub requires_approval: bool,
    /// When it may begin.
    pub scheduled_at: Option<Timestamp>,
    /// What it shares with others of its account that are one undertaking.
    pub rollout: Option<String>,
    /// Whether the others of its rollout wait for it.
    pub canary: bool,
    /// Who asks for it.
    pub created_by: Option<UserId>,
    /// Their name in the activity log.
    pub actor: String,
}

/// What changes of a pipeline; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct PipelinePatch {
    /// Where it stands.
    pub status: Option<PipelineState>,
    /// How far each stage came.
    pub stages: Option<serde_json::Value>,
    /// Who said yes.
    pub approval: Option<serde_json::Value>,
    /// Until when somebody may.
    pub approval_until: Option<Timestamp>,
    /// When it may go on.
    pub scheduled_at: Option<Timestamp>,
    /// What became of taking the whole back.
    pub back: Option<serde_json::Value>,
    /// The archive snapshot from before, as programs call it.
    pub snapshot_id: Option<String>,
    /// The look at the site from before, as programs call it.
    pub baseline_check_id: Option<String>,
    /// The last look at it, as programs call it.
    pub final_check_id: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// The job that is at it.
    pub job_id: Option<JobId>,
}

/// Which pipelines are asked for.
#[derive(Debug, Clone, Default)]
pub struct PipelineFilter {
    /// Of these sites.
    pub site_ids: Option<Vec<SiteId>>,
    /// In this state.
    pub status: Option<PipelineState>,
    /// Those that are not over.
    pub open: bool,
    /// Of this rollout.
    pub rollout: Option<String>,
}

/// Records a pipeline with its targets; [`Error::Exists`] while the site has one that is not
/// over.
pub async fn create(tx: &Tx, new: NewPipeline, wanted: Vec<NewTarget>) -> Result<PipelineRow> {
    let now = tx.now().await?;
    let model = pipeline::ActiveModel {
        short_id: Set(ShortId::random().raw()),
        site_id: Set(new.site_id.get()),
        account_id: Set(new.account_id.get()),
        environment_id: Set(new.environment_id.get()),
        status: Set(PipelineState::Pending.raw()),
        options: Set(new.options.raw()),
        stages: Set(new.stages.raw()),
        requires_approval: Set(new.requires_approval),
        scheduled_at: Set(new.scheduled_at.raw()),
        rollout: Set(new.rollout),
        canary: Set(new.canary),
        created_by: Set(new.created_by.raw()),
        actor: Set(new.actor),
        created_at: Set(now.millis()),
        updated_at: Set(now.millis()),
        approval: Set(None),
        approval_until: Set(None),
        back: Set(None),
        snapshot_id: Set(None),
        baseline_check_id: Set(None),
        final_check_id: Set(None),
        error: Set(None),
        job_id: Set(None),
        started_at: Set(None),
        finished_at: Set(None),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("pipeline"))?;
    let row = PipelineRow::read(model)?;
    targets::insert(tx, row.id, wanted).await?;
    Ok(row)
}

/// One pipeline.
pub async fn get(from: &impl Read, id: PipelineId) -> Result<Option<PipelineRow>> {
    let found = pipeline::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(PipelineRow::read).transpose()
}

/// The pipeline that programs call so.
pub async fn by_short_id(
    from: &impl Read,
    scope: &Scope,
    id: &ShortId,
) -> Result<Lookup<PipelineRow>> {
    let found = pipeline::Entity::find()
        .filter(pipeline::Column::ShortId.eq(id.as_str()))
        .one(from.connection())
        .await?
        .map(PipelineRow::read)
        .transpose()?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// The one of a site that is not over.
pub async fn open_of(from: &impl Read, site: SiteId) -> Result<Option<PipelineRow>> {
    let found = pipeline::Entity::find()
        .filter(pipeline::Column::SiteId.eq(site.get()))
        .filter(pipeline::Column::FinishedAt.is_null())
        .one(from.connection())
        .await?;
    found.map(PipelineRow::read).transpose()
}

/// For which pipelines of a site snapshots were taken, by the snapshots' short ids.
pub async fn of_snapshots(
    from: &impl Read,
    site: SiteId,
    snapshots: &[ShortId],
) -> Result<HashMap<String, ShortId>> {
    let snapshots = snapshots.iter().map(ShortId::as_str);
    let found = pipeline::Entity::find()
        .filter(pipeline::Column::SiteId.eq(site.get()))
        .filter(pipeline::Column::SnapshotId.is_in(snapshots))
        .all(from.connection())
        .await?;
    let mut pipelines = HashMap::new();
    for row in found {
        let row = PipelineRow::read(row)?;
        if let Some(snapshot) = row.snapshot_id {
            pipelines.insert(snapshot, row.short_id);
        }
    }
    Ok(pipelines)
}

/// The pipelines within a scope, newest first.
pub async fn list(
    from: &impl Read,
    scope: &Scope,
    filter: &PipelineFilter,
    page: Page,
) -> Result<Vec<PipelineRow>> {
    let found = filtered(scope, filter)
        .order_by_desc(pipeline::Column::CreatedAt)
        .order_by_desc(pipeline::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(PipelineRow::read).collect()
}

/// How many there are.
pub async fn count(from: &impl Read, scope: &Scope, filter: &PipelineFilter) -> Result<u64> {
    Ok(filtered(scope, filter).count(from.connection()).await?)
}

/// Changes one that is in one of these states; `None` where it is in another by now. In a
/// final state it is over from this instant.
pub async fn change(
    tx: &Tx,
    id: PipelineId,
    from: &[PipelineState],
    patch: PipelinePatch,
) -> Result<Option<PipelineRow>> {
    let now = tx.now().await?;
    // Takes the row, so that nothing else changes it until `tx` ends.
    let among: Vec<String> = from.iter().map(|it| format!("'{it}'")).collect();
    let held = sql::run(
        tx,
        format!(
            "UPDATE pipelines SET updated_at = $1 WHERE id = $2 AND status IN ({})",
            among.join(", ")
        ),
        [now.millis().into(), id.get().into()],
    )
    .await?;
    if held == 0 {
        return Ok(None);
    }
    let model = pipeline::Entity::find_by_id(id.get())
        .one(tx.connection())
        .await?
        .ok_or(Error::NotFound { what: "pipeline" })?;
    let is_begun = model.started_at.is_some();
    let mut model: pipeline::ActiveModel = model.into();
    match patch.status {
        Some(PipelineState::Preflight) if !is_begun => {
            model.started_at = Set(Some(now.millis()));
        }
        Some(end) if end.is_final() => model.finished_at = Set(Some(now.millis())),
        _ => {}
    }
    macro_rules! patch {
        ($($field:ident),*) => {$(
            if let Some(value) = patch.$field {
                model.$field = Set(value.raw().into());
            }
        )*};
    }
    patch!(
        status,
        stages,
        approval,
        approval_until,
        scheduled_at,
        back,
        snapshot_id,
        baseline_check_id,
        final_check_id,
        error,
        job_id
    );
    // A statement of no columns is none.
    model.updated_at = Set(now.millis());
    PipelineRow::read(model.update(tx.connection()).await?).map(Some)
}

/// Forgets what was said of an approval: it is to be asked for again.
pub async fn forget_approval(tx: &Tx, id: PipelineId) -> Result<()> {
    sql::run(
        tx,
        "UPDATE pipelines SET approval = NULL, approval_until = NULL WHERE id = $1",
        [id.get().into()],
    )
    .await?;
    Ok(())
}

fn filtered(scope: &Scope, filter: &PipelineFilter) -> Select<pipeline::Entity> {
    let mut query = pipeline::Entity::find();
    if let Some(own) = scope.ids() {
        query = query.filter(pipeline::Column::AccountId.is_in(own));
    }
    if let Some(sites) = &filter.site_ids {
        let sites = sites.iter().map(|site| site.get());
        query = query.filter(pipeline::Column::SiteId.is_in(sites));
    }
    if let Some(status) = filter.status {
        query = query.filter(pipeline::Column::Status.eq(status.as_str()));
    }
    if filter.open {
        query = query.filter(pipeline::Column::FinishedAt.is_null());
    }
    if let Some(rollout) = &filter.rollout {
        query = query.filter(pipeline::Column::Rollout.eq(rollout));
    }
    query
}
