//! A safe update as its page shows it.

use super::{
    findings::{FindingGroup, grouped},
    pictures::{PictureGroup, paired},
};
use crate::{
    badge::Badge,
    errors::sentence,
    moment::{self, Moment},
    pages::pipelines::{called, href},
    prose::Prose,
    session::Current,
    wording,
};
use pressroom_base::Timestamp;
use pressroom_fleet::{
    authorize::Action,
    pipelines::{
        Pipeline, PipelineNow, PipelineState, RollBack, Stage, StageName, StageStatus, Strategy,
        Target, TargetState,
    },
};

/// What one page, and each change of it, shows.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
#[derive(Debug)]
pub(crate) struct PipelineFacts {
    pub(crate) href: String,
    pub(crate) public_id: String,
    pub(crate) site: String,
    pub(crate) site_name: String,
    pub(crate) state: Badge,
    pub(crate) live: bool,
    /// What is being done, or came of it.
    pub(crate) message: Prose,
    /// What went wrong.
    pub(crate) error: Option<Prose>,
    pub(crate) steps: Vec<StepRow>,
    pub(crate) targets: Vec<TargetRow>,
    pub(crate) findings: Vec<FindingGroup>,
    pub(crate) pictures: Vec<PictureGroup>,
    /// What the host could not keep from happening in the clone.
    pub(crate) unblocked: Vec<String>,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) created: Moment,
    pub(crate) begins: Option<Moment>,
    pub(crate) took: Option<String>,
    pub(crate) approval_until: Option<Moment>,
    /// What tells this plan from one that is made later.
    pub(crate) read: Option<i64>,
    /// Who said yes, and what they wrote to it.
    pub(crate) approved: Option<(String, Moment, String)>,
    /// Address of the job that is, or was last, at it.
    pub(crate) job: Option<String>,
    pub(crate) awaits: bool,
    pub(crate) may_approve: bool,
    pub(crate) may_cancel: bool,
    /// The token that its forms carry.
    pub(crate) csrf: String,
}

/// One part of it.
#[derive(Debug)]
pub(crate) struct StepRow {
    pub(crate) name: &'static str,
    pub(crate) state: &'static str,
    pub(crate) look: &'static str,
    pub(crate) message: Prose,
    pub(crate) took: Option<String>,
}

/// One thing that is updated.
#[derive(Debug)]
pub(crate) struct TargetRow {
    pub(crate) name: String,
    /// `core`, or its directory: what the form calls it.
    pub(crate) slug: String,
    pub(crate) kind: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) active: Option<bool>,
    pub(crate) state: Badge,
    pub(crate) message: Prose,
    /// Whether somebody may still say yes to it.
    pub(crate) open: bool,
}

impl PipelineFacts {
    pub(crate) fn new(found: &PipelineNow, current: &Current, now: Timestamp) -> Self {
        let pipeline = &found.details.pipeline;
        let live = !pipeline.status.is_final();
        let awaits = pipeline.status == PipelineState::AwaitingApproval;
        let may = |action| current.may(action, pipeline.account_id);
        let moment = |at| Moment::new(at, now);
        let site_name = if pipeline.site.is_empty() {
            "a site that is gone".to_owned()
        } else {
            pipeline.site.clone()
        };
        let job = found.job.as_ref();
        let unblocked = unblocked(&pipeline.stages);
        Self {
            href: href(&pipeline.id),
            public_id: format!("pipe_{}", pipeline.id),
            site: format!("/sites/{}", pipeline.environment_id),
            site_name,
            state: Badge::of_pipeline(pipeline.status),
            live,
            message: message(found).into(),
            error: pipeline.error.as_deref().map(Prose::from),
            steps: pipeline
                .stages
                .iter()
                .map(|stage| StepRow::new(stage, now))
                .collect(),
            targets: pipeline.targets.iter().map(TargetRow::new).collect(),
            findings: grouped(&found.details),
            pictures: paired(&found.details),
            unblocked,
            facts: facts(pipeline),
            created: moment(pipeline.created_at),
            begins: pipeline
                .scheduled_at
                .filter(|_| pipeline.status == PipelineState::Pending)
                .map(moment),
            took: pipeline
                .started_at
                .map(|from| moment::span(from, pipeline.finished_at.unwrap_or(now))),
            approval_until: pipeline.approval_until.filter(|_| awaits).map(moment),
            read: pipeline.approval_until.map(Timestamp::millis),
            approved: pipeline.approval.as_ref().map(|said| {
                let by = said.by.clone().unwrap_or_else(|| "nobody had to".into());
                let note = said.note.clone().unwrap_or_default();
                (by, moment(said.at), note)
            }),
            job: job.map(|job| format!("/jobs/{}", job.public_id)),
            awaits,
            may_approve: awaits && may(Action::UpgradeApprove),
            may_cancel: live && may(Action::ComponentUpdate),
            csrf: current.0.csrf.expose().clone(),
        }
    }

    /// Whether there is a choice in what one says yes to.
    pub(crate) fn may_choose(&self) -> bool {
        self.targets.iter().filter(|target| target.open).count() > 1
    }
}

/// What is going on, in a line.
fn message(found: &PipelineNow) -> String {
    let pipeline = &found.details.pipeline;
    let said = found.job.as_ref().filter(|job| !job.is_final());
    let said = said.map(|job| job.message.as_str());
    match (pipeline.status, said) {
        (PipelineState::AwaitingApproval, _) => {
            "It was tried. Nothing was changed at the site yet".to_owned()
        }
        (PipelineState::Pending, _) if pipeline.scheduled_at.is_some() => {
            "Its time has not come".to_owned()
        }
        (PipelineState::Pending | PipelineState::Approved, None) => "Waiting for its turn".into(),
        (status, _) if status.is_final() => ended(pipeline),
        (_, Some(said)) => sentence(said),
        (_, None) => String::new(),
    }
}

fn ended(pipeline: &Pipeline) -> String {
    let of = |state| pipeline.count(state);
    format!(
        "{} updated, {} taken back, {} left as they were",
        of(TargetState::Updated),
        of(TargetState::RolledBack),
        of(TargetState::Failed) + of(TargetState::Skipped)
    )
}

/// How it is done.
fn facts(pipeline: &Pipeline) -> Vec<(&'static str, String)> {
    let strategy = match pipeline.strategy {
        Strategy::Canary => "one at a time, each judged by itself",
        Strategy::AllAtOnce => "all at once, judged together",
    };
    let rollback = match pipeline.rollback {
        RollBack::Auto => "is taken back by itself",
        RollBack::Manual => "is left for a person to repair",
    };
    let asks = if pipeline.requires_approval {
        "before the site is touched"
    } else {
        "only where the rehearsal was not clean"
    };
    let rollout = match (&pipeline.rollout, pipeline.canary) {
        (Some(name), true) => format!("{name}, the others wait for this one"),
        (Some(name), false) => name.clone(),
        (None, _) => String::new(),
    };
    [
        ("Updates are made", strategy.to_owned()),
        ("What makes it worse", rollback.to_owned()),
        ("Somebody is asked", asks.to_owned()),
        ("Pages looked at", pipeline.paths.join(", ")),
        ("Rollout", rollout),
        ("Asked for by", pipeline.actor.clone()),
        ("Note", pipeline.note.clone()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

/// What the last clone could not be kept from, as its trial says.
fn unblocked(stages: &[Stage]) -> Vec<String> {
    let rehearsal = stages
        .iter()
        .find(|stage| stage.name == StageName::Rehearsal);
    let trials = rehearsal.and_then(|stage| stage.detail["trials"].as_array());
    let last = trials.and_then(|trials| trials.last());
    let named = last.and_then(|trial| trial["not_kept_from_happening"].as_array());
    named
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

impl StepRow {
    fn new(stage: &Stage, now: Timestamp) -> Self {
        let running = matches!(stage.status, StageStatus::Running | StageStatus::Waiting);
        let ran = running || matches!(stage.status, StageStatus::Passed | StageStatus::Failed);
        Self {
            name: wording::stage(stage.name),
            state: wording::stage_status(stage.status),
            look: match stage.status {
                StageStatus::Passed => "step-done",
                StageStatus::Running => "step-running",
                StageStatus::Failed => "step-failed",
                StageStatus::Waiting => "step-asking",
                StageStatus::Skipped | StageStatus::NotNeeded => "step-skipped",
                StageStatus::Pending => "step-waiting",
            },
            message: stage.message.clone().unwrap_or_default().into(),
            took: stage
                .started_at
                .filter(|_| ran && stage.status != StageStatus::Waiting)
                .map(|from| moment::span(from, stage.finished_at.unwrap_or(now))),
        }
    }
}

impl TargetRow {
    fn new(target: &Target) -> Self {
        let version = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        Self {
            name: called(target),
            slug: target.slug.clone().unwrap_or_else(|| "core".to_owned()),
            kind: wording::verified_kind(&target.kind),
            from: version(&target.from_version),
            to: version(&target.to_version),
            active: target.active,
            state: Badge::of_target(target.status),
            message: target.error.clone().unwrap_or_default().into(),
            open: target.status == TargetState::Pending,
        }
    }
}
