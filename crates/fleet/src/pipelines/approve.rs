//! Saying yes to what was tried.

use super::{
    stage::{StageName, StageStatus, Stages},
    tell,
    view::{Approved, CORE, Pipeline, label},
};
use crate::{
    Caller, Error, Fleet, Problem, Result, authorize::Action, error::refuse, teller::Teller,
};
use pressroom_base::{Timestamp, catalog::event, id::ShortId};
use pressroom_carrier::Session;
use pressroom_store::{
    EnvironmentRow, PipelinePatch, PipelineRow, PipelineState, TargetPatch, TargetRow, TargetState,
    environments, pipelines, users,
};
use pressroom_wordpress::inventory::Place;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long the site is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Characters of what is written to a yes.
const LONGEST_NOTE: usize = 1000;

/// What is said to an update that was tried.
#[derive(Debug, Clone, Default)]
pub struct Approval {
    /// What is written to it.
    pub note: Option<String>,
    /// The slugs of the targets that are meant, `core` for WordPress; all, without.
    pub targets: Option<Vec<String>>,
    /// Until when the plan that was read can be approved: a pipeline that was tried again since
    /// has another. Whatever it is now, without.
    pub read: Option<Timestamp>,
}

impl Fleet {
    /// Says yes to a pipeline of a site. Of several at once one is heard. A worker makes the
    /// updates then; nobody waits for it.
    ///
    /// Errors: `Conflict` where it is not awaiting approval, or the site is another by now
    /// than the one in which the updates were tried, which begins it anew; `Invalid`;
    /// `NotFound`, `Forbidden`.
    pub async fn approve_site_pipeline(
        &self,
        caller: &Caller,
        site: &ShortId,
        id: &ShortId,
        approval: Approval,
    ) -> Result<Pipeline> {
        let row = self
            .site_pipeline(caller, Action::UpgradeApprove, site, id)
            .await?;
        self.approve(caller, row, approval).await
    }

    /// The same of the one that programs call so.
    pub async fn approve_pipeline(
        &self,
        caller: &Caller,
        id: &ShortId,
        approval: Approval,
    ) -> Result<Pipeline> {
        let row = self
            .pipeline_row(caller, Action::UpgradeApprove, id)
            .await?;
        self.approve(caller, row, approval).await
    }

    async fn approve(
        &self,
        caller: &Caller,
        row: PipelineRow,
        approval: Approval,
    ) -> Result<Pipeline> {
        if caller.was_done() {
            return self.pipeline_view(row).await;
        }
        let targets = pipelines::targets(&self.parts.store, row.id).await?;
        refuse(problems(&approval, &targets))?;
        if row.status != PipelineState::AwaitingApproval {
            return Err(too_late());
        }
        // Asked so that somebody who says yes to what is not there any more is told at once; the
        // job asks again, also where the site is out of reach for the moment.
        let changed = timeout(PATIENCE, self.changed_since(&row, &targets)).await;
        if let Ok(Ok(Some(changed))) = changed {
            self.begin_anew(&row, &changed).await?;
            return Err(
                Error::conflict("site changed since rehearsal").with_hint(format!(
                    "{changed}; the updates are tried again, and asked for again"
                )),
            );
        }
        let left_out: Vec<_> = targets
            .iter()
            .filter(|target| target.status == TargetState::Pending)
            .filter(|target| {
                let meant = approval.targets.as_ref();
                meant.is_some_and(|meant| !meant.contains(&target.slug))
            })
            .collect();
        let user = match caller.principal.user_id() {
            Some(id) => users::get(&self.parts.store, id).await?,
            None => None,
        };
        let tx = self.parts.store.begin().await?;
        let now = tx.now().await?;
        let mut stages = Stages::read(&row.stages);
        stages.end(
            StageName::Approval,
            StageStatus::Passed,
            format!("approved by {}", caller.principal.label()),
            now,
        );
        let said = Approved {
            by: Some(caller.principal.label().to_owned()),
            user_id: user.map(|user| user.short_id.to_string()),
            at: now,
            note: approval.note.filter(|note| !note.is_empty()),
        };
        let patch = PipelinePatch {
            status: Some(PipelineState::Approved),
            stages: Some(stages.written()),
            approval: Some(serde_json::to_value(&said).map_err(Error::internal)?),
            ..PipelinePatch::default()
        };
        let from = [PipelineState::AwaitingApproval];
        let Some(row) = pipelines::change(&tx, row.id, &from, patch).await? else {
            return Err(too_late());
        };
        if approval.read.is_some() && approval.read != row.approval_until {
            return Err(Error::conflict("the plan is another than the one you read")
                .with_hint("it was tried again meanwhile; read it anew and say yes then"));
        }
        for target in left_out {
            let skipped = TargetPatch {
                status: Some(TargetState::Skipped),
                error: Some("it was not approved".into()),
                ..TargetPatch::default()
            };
            pipelines::set_target(&tx, target.id, skipped).await?;
        }
        caller.makes(&tx, row.id.get()).await?;
        let kind = event::UPGRADE_PIPELINE_APPROVED;
        let told = json!({ "note": said.note });
        tell::happened(&tx, kind, &row, Teller::of(caller), told).await?;
        tx.commit().await?;
        self.pipeline_view(row).await
    }

    /// What of the site is another version than the one that was frozen, if something is.
    pub(super) async fn changed_since(
        &self,
        row: &PipelineRow,
        targets: &[TargetRow],
    ) -> Result<Option<String>> {
        let environment = environments::get(&self.parts.store, row.environment_id)
            .await?
            .ok_or_else(|| Error::not_found("site"))?;
        let ground = self.ground(&environment).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let changed = drift(&session, &environment, targets).await;
        session.close().await;
        changed
    }

    /// Has a pipeline be tried again from its preflight on.
    pub(super) async fn begin_anew(&self, row: &PipelineRow, why: &str) -> Result<()> {
        let tx = self.parts.store.begin().await?;
        again(&tx, row, why).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Puts a pipeline that waits, or is about to begin, back to its preflight.
pub(super) async fn again(tx: &pressroom_store::Tx, row: &PipelineRow, why: &str) -> Result<bool> {
    let mut stages = Stages::new(
        super::view::read_options(row).snapshot,
        row.requires_approval,
    );
    stages.begin(StageName::Preflight, StageStatus::Running, tx.now().await?);
    stages.tell(StageName::Preflight, json!({ "again_because": why }));
    let patch = PipelinePatch {
        status: Some(PipelineState::Preflight),
        stages: Some(stages.written()),
        ..PipelinePatch::default()
    };
    let from = [PipelineState::AwaitingApproval, PipelineState::Approved];
    let changed = pipelines::change(tx, row.id, &from, patch).await?;
    if changed.is_some() {
        pipelines::forget_approval(tx, row.id).await?;
    }
    Ok(changed.is_some())
}

/// What is another version on disk than the one that was frozen.
pub(super) async fn drift(
    session: &Session,
    environment: &EnvironmentRow,
    targets: &[TargetRow],
) -> Result<Option<String>> {
    let seen = session.inspect(&environment.path).await?;
    let open = targets
        .iter()
        .filter(|target| target.status == TargetState::Pending);
    for target in open {
        let Some(frozen) = &target.from_version else {
            continue;
        };
        let now = if target.kind == CORE {
            seen.version.clone()
        } else {
            let found = seen.components.iter().find(|found| {
                found.place == Place::Normal
                    && found.slug == target.slug
                    && crate::environments::kind_name(found.kind) == target.kind
            });
            found.map(|found| found.version.clone())
        };
        if now.as_ref() != Some(frozen) {
            let what = label(&target.kind, &target.slug);
            return Ok(Some(match now {
                Some(now) => format!("{what} was {frozen} and is {now}"),
                None => format!("{what} is not there any more"),
            }));
        }
    }
    Ok(None)
}

fn too_late() -> Error {
    Error::conflict("pipeline is not awaiting approval")
}

fn problems(approval: &Approval, targets: &[TargetRow]) -> Vec<Problem> {
    let mut found = Vec::new();
    let note = approval.note.as_deref().unwrap_or_default();
    if note.chars().count() > LONGEST_NOTE {
        let text = format!("is too long (maximum is {LONGEST_NOTE} characters)");
        found.push(Problem::new("note", text));
    }
    if let Some(meant) = &approval.targets {
        if meant.is_empty() {
            found.push(Problem::new("targets", "can't be blank"));
        }
        let unknown = meant
            .iter()
            .any(|slug| !targets.iter().any(|target| target.slug == *slug));
        if unknown {
            found.push(Problem::new("targets", "are not all of this pipeline"));
        }
    }
    found
}
