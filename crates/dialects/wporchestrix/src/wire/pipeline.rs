//! W18 to W21.

use super::id;
use crate::filters;
use pressroom_base::Timestamp;
use pressroom_dialect_http::Fault;
use pressroom_fleet::pipelines::{
    AskPipeline, AskTarget, Finding, Pipeline, PipelineDetails, RollBack, Stage, Strategy, Target,
    Wanted,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A safe update, as lists have it.
#[derive(Serialize, ToSchema)]
pub struct PipelineRowOut {
    id: String,
    site_id: String,
    /// `pending`, `preflight`, `snapshotting`, `rehearsing`, `awaiting_approval`, `approved`,
    /// `upgrading`, `verifying`, `rolling_back`, `completed`, `failed`, `rolled_back` or
    /// `cancelled`.
    status: &'static str,
    /// `canary` or `all_at_once`.
    strategy: &'static str,
    requires_approval: bool,
    /// In the order of work, once the preflight is over.
    targets: Vec<TargetOut>,
    stages: Vec<StageOut>,
    approval: ApprovalOut,
    rollback: RollbackOut,
    snapshot_id: Option<String>,
    baseline_health_check_id: Option<String>,
    final_health_check_id: Option<String>,
    error: Option<String>,
    scheduled_at: Option<String>,
    rollout_id: Option<String>,
    canary: bool,
    /// Null where it was asked for at the server's own command line.
    created_by: Option<String>,
    note: Option<String>,
    health_check_paths: Vec<String>,
    created_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    updated_at: String,
}

/// A safe update.
#[derive(Serialize, ToSchema)]
pub struct PipelineOut {
    #[serde(flatten)]
    row: PipelineRowOut,
    /// What is otherwise than it was.
    findings: Vec<FindingOut>,
}

/// One thing that is updated.
#[derive(Serialize, ToSchema)]
pub struct TargetOut {
    /// `core`, `plugin` or `theme`.
    #[serde(rename = "type")]
    kind: String,
    /// Null for WordPress itself.
    slug: Option<String>,
    name: Option<String>,
    /// Null until the preflight has frozen it.
    from_version: Option<String>,
    /// Null until it is known.
    to_version: Option<String>,
    /// Whether WordPress uses it; null where that is not known.
    active: Option<bool>,
    /// `pending`, `updating`, `updated`, `failed`, `rolled_back` or `skipped`.
    status: &'static str,
    error: Option<String>,
}

/// How far one part came.
#[derive(Serialize, ToSchema)]
pub struct StageOut {
    /// `preflight`, `snapshot`, `rehearsal`, `approval`, `upgrade`, `verification` or
    /// `rollback`.
    name: &'static str,
    /// `pending`, `running`, `waiting`, `passed`, `failed`, `skipped` or `not_needed`.
    status: &'static str,
    started_at: Option<String>,
    finished_at: Option<String>,
    message: Option<String>,
    /// The figures behind it; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    detail: Option<Value>,
}

/// Whether somebody said yes.
#[derive(Serialize, ToSchema)]
pub struct ApprovalOut {
    required: bool,
    /// `not_required`, `pending` or `approved`.
    state: &'static str,
    approved_by: Option<String>,
    approved_at: Option<String>,
    note: Option<String>,
    /// Until when somebody may.
    expires_at: Option<String>,
}

/// What becomes of an update that makes the site worse.
#[derive(Serialize, ToSchema)]
pub struct RollbackOut {
    /// `auto` or `manual`.
    policy: &'static str,
    /// Of taking all of it back: `not_needed`, `running`, `passed` or `failed`.
    status: String,
    reason: Option<String>,
    finished_at: Option<String>,
}

/// Something that is otherwise than it was.
#[derive(Serialize, ToSchema)]
pub struct FindingOut {
    /// The stage that found it.
    stage: String,
    /// What it is blamed on, such as `plugin akismet`.
    target: Option<String>,
    what: String,
    /// `blocking`, `warning` or `note`.
    severity: String,
    /// The page or file.
    place: String,
    before: String,
    after: String,
    message: String,
}

/// A safe update to ask for.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct PipelineIn {
    /// 1 to 100 things to update; not with `all`.
    pub targets: Option<Vec<TargetIn>>,
    /// Everything that is on offer.
    pub all: bool,
    /// `canary` (one target at a time) or `all_at_once`; `canary` when absent.
    pub strategy: Option<String>,
    /// True when absent.
    pub requires_approval: Option<bool>,
    /// `auto` or `manual`; `auto` when absent.
    pub rollback: Option<String>,
    /// True when absent; false only with `"rollback": "manual"`.
    pub snapshot: Option<bool>,
    /// At most ten paths on the site; the front page when absent.
    pub health_check_paths: Option<Vec<String>>,
    /// At most 30 days ahead.
    pub scheduled_at: Option<String>,
    /// What pipelines of several sites share that are one undertaking.
    pub rollout_id: Option<String>,
    /// Whether the others of the rollout wait for this one.
    pub canary: bool,
    /// At most 1000 characters.
    pub note: Option<String>,
}

/// One thing to update.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TargetIn {
    /// `core`, `plugin` or `theme`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its directory; left out for `core`.
    pub slug: Option<String>,
    /// The newest when absent.
    pub version: Option<String>,
}

/// What is said to an update that was tried.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ApproveIn {
    /// At most 1000 characters.
    pub note: Option<String>,
    /// The slugs that are meant, `core` for WordPress; all of them when absent.
    pub targets: Option<Vec<String>>,
}

impl PipelineIn {
    /// What is asked for.
    pub fn asked(self) -> Result<AskPipeline, Fault> {
        let unknown = |path: &str, problem: &str| Fault::Member {
            path: path.to_owned(),
            problem: problem.to_owned(),
        };
        let no_such = "there is no such value";
        let strategy = match self.strategy.as_deref() {
            None => Strategy::default(),
            Some(text) => Strategy::parse(text).ok_or_else(|| unknown("strategy", no_such))?,
        };
        let rollback = match self.rollback.as_deref() {
            None => RollBack::default(),
            Some(text) => RollBack::parse(text).ok_or_else(|| unknown("rollback", no_such))?,
        };
        let scheduled_at = match self.scheduled_at.as_deref().filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(filters::time(text).ok_or_else(|| {
                unknown("scheduled_at", "expected a time like 2026-01-15T10:30:00Z")
            })?),
        };
        let wanted = match (self.all, self.targets) {
            (true, None) => Wanted::All,
            (true, Some(targets)) if targets.is_empty() => Wanted::All,
            (true, Some(_)) => {
                return Err(unknown("targets", "cannot be given together with `all`"));
            }
            (false, targets) => {
                let targets = targets.unwrap_or_default();
                Wanted::These(targets.into_iter().map(AskTarget::from).collect())
            }
        };
        Ok(AskPipeline {
            wanted,
            strategy,
            requires_approval: self.requires_approval.unwrap_or(true),
            rollback,
            snapshot: self.snapshot.unwrap_or(true),
            paths: self.health_check_paths.unwrap_or_default(),
            scheduled_at,
            rollout: self.rollout_id,
            canary: self.canary,
            note: self.note.unwrap_or_default(),
        })
    }
}

impl From<TargetIn> for AskTarget {
    fn from(given: TargetIn) -> Self {
        Self {
            kind: given.kind,
            slug: given.slug.unwrap_or_default(),
            version: given.version.filter(|version| !version.is_empty()),
        }
    }
}

impl PipelineRowOut {
    /// One, without the figures of its stages.
    pub fn new(found: Pipeline) -> Self {
        let mut row = Self::in_full(found);
        for stage in &mut row.stages {
            stage.detail = None;
        }
        row
    }

    fn in_full(found: Pipeline) -> Self {
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let at = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
        let approval = ApprovalOut::of(&found);
        let rollback = RollbackOut::of(&found);
        Self {
            id: id::pipeline(&found.id),
            site_id: id::site(&found.site_id),
            status: found.status.as_str(),
            strategy: found.strategy.as_str(),
            requires_approval: found.requires_approval,
            targets: found.targets.into_iter().map(TargetOut::from).collect(),
            stages: found.stages.into_iter().map(StageOut::from).collect(),
            approval,
            rollback,
            snapshot_id: found.snapshot_id.as_deref().map(id::snapshot),
            baseline_health_check_id: found.baseline_check_id.as_deref().map(id::health_check),
            final_health_check_id: found.final_check_id.as_deref().map(id::health_check),
            error: found.error,
            scheduled_at: at(found.scheduled_at),
            rollout_id: found.rollout,
            canary: found.canary,
            created_by: found.created_by.map(|id| format!("user_{id}")),
            note: text(found.note),
            health_check_paths: found.paths,
            created_at: found.created_at.to_rfc3339(),
            started_at: at(found.started_at),
            finished_at: at(found.finished_at),
            updated_at: found.updated_at.to_rfc3339(),
        }
    }
}

impl PipelineOut {
    /// One with all that it found.
    pub fn new(found: PipelineDetails) -> Self {
        Self {
            row: PipelineRowOut::in_full(found.pipeline),
            findings: found.findings.into_iter().map(FindingOut::from).collect(),
        }
    }

    /// One that found nothing yet.
    pub fn without_findings(found: Pipeline) -> Self {
        Self {
            row: PipelineRowOut::in_full(found),
            findings: Vec::new(),
        }
    }
}

impl ApprovalOut {
    fn of(found: &Pipeline) -> Self {
        let said = found.approval.as_ref();
        let by = said.and_then(|said| said.user_id.as_ref());
        Self {
            required: found.requires_approval,
            state: match said {
                Some(said) if said.by.is_some() => "approved",
                None if found.requires_approval || found.approval_until.is_some() => "pending",
                _ => "not_required",
            },
            approved_by: by.map(|id| format!("user_{id}")),
            approved_at: said
                .filter(|said| said.by.is_some())
                .map(|said| said.at.to_rfc3339()),
            note: said.and_then(|said| said.note.clone()),
            expires_at: found.approval_until.map(Timestamp::to_rfc3339),
        }
    }
}

impl RollbackOut {
    fn of(found: &Pipeline) -> Self {
        let back = found.back.as_ref();
        Self {
            policy: found.rollback.as_str(),
            status: back.map_or_else(|| "not_needed".into(), |back| back.status.clone()),
            reason: back.and_then(|back| back.reason.clone()),
            finished_at: back.and_then(|back| Some(back.finished_at?.to_rfc3339())),
        }
    }
}

impl From<Target> for TargetOut {
    fn from(target: Target) -> Self {
        Self {
            kind: target.kind,
            slug: target.slug,
            name: Some(target.name).filter(|name| !name.is_empty()),
            from_version: target.from_version,
            to_version: target.to_version,
            active: target.active,
            status: target.status.as_str(),
            error: target.error,
        }
    }
}

impl From<Stage> for StageOut {
    fn from(stage: Stage) -> Self {
        Self {
            name: stage.name.as_str(),
            status: stage.status.as_str(),
            started_at: stage.started_at.map(Timestamp::to_rfc3339),
            finished_at: stage.finished_at.map(Timestamp::to_rfc3339),
            message: stage.message,
            detail: Some(match stage.detail {
                Value::Null => Value::Object(serde_json::Map::new()),
                detail => detail,
            }),
        }
    }
}

impl From<Finding> for FindingOut {
    fn from(found: Finding) -> Self {
        Self {
            stage: found.stage,
            target: found.target,
            what: found.what,
            severity: found.severity,
            place: found.place,
            before: found.before,
            after: found.after,
            message: found.message,
        }
    }
}
