//! Pipelines as faces see them.

use super::{
    options::{Options, RollBack, Strategy},
    picture::PipelinePicture,
    stage::{Stage, Stages},
};
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, JobId},
};
use pressroom_store::{FindingRow, PipelineRow, PipelineState, TargetRow, TargetState};
use serde::{Deserialize, Serialize};

/// A safe update of one site. Ids are without a dialect's prefix.
#[derive(Debug, Clone, Serialize)]
pub struct Pipeline {
    /// Its own.
    pub id: String,
    /// The site's.
    pub site_id: String,
    /// What the site is called; empty where it is gone.
    pub site: String,
    /// Its address; empty where it is gone.
    pub url: String,
    /// Whose it is.
    pub account_id: AccountId,
    /// Where it is done.
    pub environment_id: EnvironmentId,
    /// Where it stands.
    pub status: PipelineState,
    /// In which steps the site is changed.
    pub strategy: Strategy,
    /// Whether somebody is to say yes before the site is touched.
    pub requires_approval: bool,
    /// What is updated, in this order.
    pub targets: Vec<Target>,
    /// How far each part came.
    pub stages: Vec<Stage>,
    /// Who said yes.
    pub approval: Option<Approved>,
    /// Until when somebody may.
    pub approval_until: Option<Timestamp>,
    /// Who takes back what makes the site worse.
    pub rollback: RollBack,
    /// What became of taking all of it back.
    pub back: Option<Back>,
    /// The archive snapshot from before.
    pub snapshot_id: Option<String>,
    /// The look at the site from before.
    pub baseline_check_id: Option<String>,
    /// The last look at it.
    pub final_check_id: Option<String>,
    /// What went wrong, in a sentence.
    pub error: Option<String>,
    /// When it may begin.
    pub scheduled_at: Option<Timestamp>,
    /// What it shares with others that are one undertaking.
    pub rollout: Option<String>,
    /// Whether the others of its rollout wait for it.
    pub canary: bool,
    /// Who asked for it, as the activity log names them.
    pub actor: String,
    /// Their id, without a dialect's prefix.
    pub created_by: Option<String>,
    /// What its owner wrote to it.
    pub note: String,
    /// Pages that are looked at.
    pub paths: Vec<String>,
    /// The job that is, or was last, at it.
    pub job_id: Option<JobId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A pipeline with all that it found.
#[derive(Debug, Clone, Serialize)]
pub struct PipelineDetails {
    /// The pipeline.
    #[serde(flatten)]
    pub pipeline: Pipeline,
    /// What is otherwise than it was.
    pub findings: Vec<Finding>,
    /// Pages as they were shown before and after.
    pub pictures: Vec<PipelinePicture>,
}

/// One thing that is updated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// `core`, `plugin` or `theme`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its directory; `None` for WordPress.
    pub slug: Option<String>,
    /// What people call it.
    pub name: String,
    /// The version from before; `None` before it is frozen.
    pub from_version: Option<String>,
    /// The version it goes to, as far as it is known.
    pub to_version: Option<String>,
    /// Whether WordPress uses it.
    pub active: Option<bool>,
    /// Where it stands.
    pub status: TargetState,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl Target {
    /// As people say it: `plugin shop`, `WordPress`.
    pub fn label(&self) -> String {
        label(&self.kind, self.slug.as_deref().unwrap_or_default())
    }
}

/// As people say it: `plugin shop`, `WordPress`.
pub(super) fn label(kind: &str, slug: &str) -> String {
    if kind == CORE {
        "WordPress".to_owned()
    } else {
        format!("{kind} {slug}")
    }
}

/// The kind of target that WordPress itself is, and its slug.
pub(super) const CORE: &str = "core";

/// Who said yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// Who; `None` where nobody had to.
    pub by: Option<String>,
    /// Their id, without a dialect's prefix.
    pub user_id: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What they wrote to it.
    pub note: Option<String>,
}

/// What became of taking all of it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// `running`, `passed` or `failed`.
    pub status: String,
    /// Why.
    pub reason: Option<String>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
}

/// Something that is otherwise than it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The stage that found it.
    pub stage: String,
    /// What it is blamed on: `plugin shop`.
    pub target: Option<String>,
    /// What it is, such as `fatal_error`.
    pub what: String,
    /// `blocking`, `warning` or `note`.
    pub severity: String,
    /// The page or file.
    pub place: String,
    /// How it was there before.
    pub before: String,
    /// How it is.
    pub after: String,
    /// The same in a sentence.
    pub message: String,
}

/// What else is known where a pipeline is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    pub(super) site_id: String,
    pub(super) site: String,
    pub(super) url: String,
    pub(super) created_by: Option<String>,
}

impl Pipeline {
    pub(super) fn new(row: PipelineRow, targets: Vec<TargetRow>, around: Around) -> Self {
        let options = read_options(&row);
        Self {
            id: row.short_id.to_string(),
            site_id: around.site_id,
            site: around.site,
            url: around.url,
            account_id: row.account_id,
            environment_id: row.environment_id,
            status: row.status,
            strategy: options.strategy,
            requires_approval: row.requires_approval,
            targets: targets.into_iter().map(Target::from).collect(),
            stages: Stages::read(&row.stages).into_vec(),
            approval: row.approval.and_then(|it| Approved::deserialize(it).ok()),
            approval_until: row.approval_until,
            rollback: options.rollback,
            back: row.back.and_then(|it| Back::deserialize(it).ok()),
            snapshot_id: row.snapshot_id,
            baseline_check_id: row.baseline_check_id,
            final_check_id: row.final_check_id,
            error: row.error,
            scheduled_at: row.scheduled_at,
            rollout: row.rollout,
            canary: row.canary,
            actor: row.actor,
            created_by: around.created_by,
            note: options.note,
            paths: options.paths,
            job_id: row.job_id,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            updated_at: row.updated_at,
        }
    }

    /// How many targets are in a state.
    pub fn count(&self, state: TargetState) -> usize {
        self.targets
            .iter()
            .filter(|target| target.status == state)
            .count()
    }
}

/// How a recorded pipeline is to be done.
pub(super) fn read_options(row: &PipelineRow) -> Options {
    Options::deserialize(&row.options).unwrap_or(Options {
        strategy: Strategy::Canary,
        rollback: RollBack::Auto,
        snapshot: true,
        paths: vec!["/".to_owned()],
        note: String::new(),
        by_policy: false,
    })
}

impl From<TargetRow> for Target {
    fn from(row: TargetRow) -> Self {
        Self {
            slug: (row.kind != CORE).then_some(row.slug),
            kind: row.kind,
            name: row.name,
            from_version: row.from_version,
            to_version: row.to_version.or(row.wanted),
            active: row.active,
            status: row.status,
            error: row.error,
        }
    }
}

impl From<FindingRow> for Finding {
    fn from(row: FindingRow) -> Self {
        Self {
            stage: row.stage,
            target: row.target,
            what: row.what,
            severity: row.severity,
            place: row.place,
            before: row.was,
            after: row.now,
            message: row.message,
        }
    }
}
