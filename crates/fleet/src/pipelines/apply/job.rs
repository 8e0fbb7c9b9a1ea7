//! The job that makes the updates.

use super::{
    back::Back,
    end,
    item::{Item, Next},
    tables,
};
use crate::{
    Error, Fleet, Principal, Result,
    authorize::{Action, Resource, authorize},
    pipelines::{
        StageName, StageStatus,
        approve::{again, drift},
        course::{APPLY, Course, Payload, end_untouched, row_of},
        looking::{BLOCKING, Depth, Eyes, Shown, Which},
        options::RollBack,
        pictures::{Pair, keep_pictures},
        updater,
        view::Approved,
    },
    reach::nothing_begun,
    teller::Teller,
};
use async_trait::async_trait;
use pressroom_base::id::ShortId;
use pressroom_carrier::Session;
use pressroom_jobs::{Class, Interruption, JobContext, JobFailure, JobKind, JobRow};
use pressroom_store::{
    NewFinding, PipelinePatch, PipelineState, TargetPatch, TargetRow, TargetState, Tx, pipelines,
    users,
};
use pressroom_wordpress::recovery::Recovery;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The states in which this job is at a pipeline.
const OWN: &[PipelineState] = &[
    PipelineState::Approved,
    PipelineState::Upgrading,
    PipelineState::Verifying,
    PipelineState::RollingBack,
];
/// The step whose intent is how the site looked before anything was updated.
const BASELINE: &str = "baseline";

/// Takes a pipeline from the yes to its end.
pub(crate) struct ApplyJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for ApplyJob {
    fn name(&self) -> &'static str {
        APPLY
    }

    /// Each target is looked at: one that is settled stays, one that was under way is put
    /// back and tried again.
    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    fn undo_unbegun(&self) -> bool {
        // The pipeline is recorded as being open.
        true
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }

    async fn undo(
        &self,
        ctx: &JobContext,
        why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(Box::pin(undo(&self.0, ctx, why)).await?)
    }

    async fn given_up(
        &self,
        tx: &Tx,
        job: &JobRow,
    ) -> std::result::Result<Option<String>, pressroom_store::Error> {
        let Ok(payload) = Payload::deserialize(&job.payload) else {
            return Ok(None);
        };
        let why = "its workers were lost, and what was under way could not be put back";
        for target in pipelines::targets(tx, payload.pipeline).await? {
            if target.status == TargetState::Updating {
                let patch = TargetPatch {
                    status: Some(TargetState::Failed),
                    error: Some(why.into()),
                    ..TargetPatch::default()
                };
                pipelines::set_target(tx, target.id, patch).await?;
            }
        }
        let patch = PipelinePatch {
            status: Some(PipelineState::Failed),
            error: Some(why.into()),
            ..PipelinePatch::default()
        };
        pipelines::change(tx, payload.pipeline, OWN, patch).await?;
        pipelines::skip_others(tx, payload.pipeline, "the pipeline was given up").await?;
        Ok(Some(
            "look at the site; the snapshot from before has it as it was".to_owned(),
        ))
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let course = Course::of(fleet, ctx).await?;
    let (session, recovery) = fleet.open_site_recovering(ctx, &course.site).await?;
    if !OWN.contains(&course.status()) {
        // Only what lies beside the site was not removed yet.
        updater::let_be(&course, &session).await;
        end::clear(&course, &session).await?;
        return course.result().await;
    }
    if course.status() == PipelineState::Approved
        && let Some(refused) = refused(&course, &session).await?
    {
        return Ok(refused);
    }
    tables::drop_others(&course, &session).await?;
    let upgrade = Upgrade {
        course: &course,
        session: &session,
        recovery: &recovery,
    };
    Box::pin(updater::held_off(&course, &session, upgrade.run())).await?;
    end::clear(&course, &session).await?;
    session.close().await;
    ctx.progress(100, "the pipeline is over").await?;
    course.result().await
}

/// What keeps an approved pipeline from going on: whoever said yes may not any more, or the
/// site is another.
async fn refused(course: &Course<'_>, session: &Session) -> Result<Option<Value>> {
    let row = course.row();
    if !still_approved(course).await? {
        let tx = course.ctx.begin().await?;
        let why = "whoever approved it may not do that any more";
        let teller = Teller::of_job(course.ctx);
        end_untouched(&tx, row.id, &[PipelineState::Approved], why, teller).await?;
        tx.commit().await?;
        return Ok(Some(json!({ "cancelled": why })));
    }
    // It may have waited for its turn longer than its window was open.
    if course.fleet.is_held(&row).await? {
        let text = "its policy does not let it go on now";
        course.ctx.line(text);
        return Ok(Some(json!({ "held": text })));
    }
    let targets = course.targets().await?;
    if let Some(changed) = drift(session, &course.site, &targets).await? {
        course
            .ctx
            .line(format!("the site changed since rehearsal: {changed}"));
        let tx = course.ctx.begin().await?;
        again(&tx, &row, &changed).await?;
        tx.commit().await?;
        return Ok(Some(json!({ "again": changed })));
    }
    Ok(None)
}

/// Whether whoever said yes may still do that. A pipeline that nobody had to approve is as
/// good as whoever asked for it.
async fn still_approved(course: &Course<'_>) -> Result<bool> {
    let (fleet, row) = (course.fleet, course.row());
    let approved = row.approval.and_then(|it| Approved::deserialize(it).ok());
    let person = match approved.and_then(|it| it.user_id) {
        Some(id) => match ShortId::parse(&id) {
            Some(id) => users::by_short_id(&fleet.parts.store, &id).await?,
            None => None,
        },
        // At this machine's own command line, or nobody.
        None => return Ok(true),
    };
    let principal: Option<Principal> = match person {
        Some(user) => fleet.person(user.id).await?,
        None => None,
    };
    let owner = Resource::OfAccount(row.account_id);
    Ok(principal.is_some_and(|it| authorize(&it, Action::UpgradeApprove, owner).is_ok()))
}

/// The updates of one pipeline.
struct Upgrade<'a> {
    course: &'a Course<'a>,
    session: &'a Session,
    recovery: &'a Recovery,
}

impl Upgrade<'_> {
    async fn run(&self) -> Result<()> {
        let course = self.course;
        if course.status() == PipelineState::RollingBack {
            return self
                .back("its worker was lost while it was taken back")
                .await;
        }
        let baseline = self.baseline().await?;
        if course.status() == PipelineState::Approved {
            course
                .enter(PipelineState::Upgrading, StageName::Upgrade)
                .await?;
        }
        if course.status() == PipelineState::Upgrading {
            match self.targets(&baseline).await? {
                Next::On => {}
                Next::Stop => {
                    let why = "a target failed, and nothing is taken back by itself";
                    return course.fail(why).await;
                }
            }
            if end::upgraded(course).await? == 0 {
                return self.none_kept().await;
            }
            course
                .enter(PipelineState::Verifying, StageName::Verification)
                .await?;
        }
        self.verify(&baseline).await
    }

    fn eyes(&self) -> Eyes<'_> {
        Eyes {
            course: self.course,
            session: self.session,
            which: Which::Site,
        }
    }

    /// How the site looked before anything was updated, from whichever attempt. Its pictures
    /// are in this worker's memory alone.
    async fn baseline(&self) -> Result<Arc<Shown>> {
        let ctx = self.course.ctx;
        if let Some(sight) = ctx.intents(BASELINE).await?.into_iter().next() {
            return Ok(Arc::new(Shown::without_pictures(sight)));
        }
        let shown = self.eyes().look(Depth::Whole, None).await?;
        let intent = serde_json::to_value(&shown.sight).map_err(crate::Error::internal)?;
        ctx.step_intending(BASELINE, intent, async { Ok(()) })
            .await?;
        ctx.line(format!("{} pages were looked at", shown.sight.pages()));
        Ok(shown)
    }

    async fn targets(&self, baseline: &Arc<Shown>) -> Result<Next> {
        let targets = self.course.targets().await?;
        let total = targets.len().max(1);
        for (index, target) in targets.iter().enumerate() {
            if target.status.is_final() {
                continue;
            }
            self.course.ctx.check()?;
            let item = Item {
                course: self.course,
                session: self.session,
                recovery: self.recovery,
                target,
                baseline,
            };
            if item.run().await? == Next::Stop {
                return Ok(Next::Stop);
            }
            let done = u8::try_from((index + 1) * 80 / total).unwrap_or(80);
            let text = format!("{} of {total} targets settled", index + 1);
            self.course.ctx.progress(done, &text).await?;
        }
        Ok(Next::On)
    }

    /// Everything was taken back or never tried.
    async fn none_kept(&self) -> Result<()> {
        let targets = self.course.targets().await?;
        let told = |state| {
            let of_state = targets.iter().find(|target| target.status == state);
            of_state.and_then(|target| target.error.clone())
        };
        match (told(TargetState::RolledBack), told(TargetState::Failed)) {
            (Some(why), _) => end::rolled_back(self.course, &why).await,
            (None, Some(why)) => self.course.fail(&why).await,
            (None, None) => self.course.fail("no target was left to update").await,
        }
    }

    /// The site as a whole, after everything.
    async fn verify(&self, baseline: &Arc<Shown>) -> Result<()> {
        let course = self.course;
        let shown = self
            .eyes()
            .look(Depth::Whole, Some(&baseline.sight))
            .await?;
        let stage = StageName::Verification.as_str();
        let compared = shown.compare(baseline, stage).await?;
        let pair = Pair {
            stage: StageName::Verification,
            target: None,
            before: baseline,
            after: &shown,
        };
        keep_pictures(course, &pair, &compared.differences).await;
        let found = compared.findings;
        let worst: Option<String> = found
            .iter()
            .find(|found| found.severity == BLOCKING)
            .map(|found| found.message.clone());
        self.record(found).await?;
        let Some(worst) = worst else {
            let targets = course.targets().await?;
            let updated = targets
                .iter()
                .filter(|target| target.status == TargetState::Updated);
            return end::complete(course, updated.count()).await;
        };
        if course.options.rollback == RollBack::Manual {
            return course.fail(&worst).await;
        }
        let row = course.row();
        let change = course
            .change(
                PipelinePatch {
                    status: Some(PipelineState::RollingBack),
                    ..PipelinePatch::default()
                },
                |stages, now| {
                    stages.end(StageName::Verification, StageStatus::Failed, &worst, now);
                    stages.begin(StageName::Rollback, StageStatus::Running, now);
                },
            )
            .await?;
        let teller = Teller::of_job(course.ctx);
        crate::pipelines::tell::failed(&change.tx, &row, teller, &worst, true).await?;
        course.commit(change).await?;
        self.back(&worst).await
    }

    async fn record(&self, found: Vec<NewFinding>) -> Result<()> {
        let tx = self.course.ctx.begin().await?;
        let id = self.course.row().id;
        pipelines::drop_findings(&tx, id, StageName::Verification.as_str()).await?;
        pipelines::add_findings(&tx, id, found).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes back everything that was kept, the last first.
    async fn back(&self, why: &str) -> Result<()> {
        for target in self.course.targets().await?.iter().rev() {
            let live = matches!(target.status, TargetState::Updated | TargetState::Updating);
            if live {
                put_back(self.course, self.session, self.recovery, target, why).await?;
            }
        }
        end::rolled_back(self.course, why).await
    }
}

/// Puts one target back and says so.
async fn put_back(
    course: &Course<'_>,
    session: &Session,
    recovery: &Recovery,
    target: &TargetRow,
    why: &str,
) -> Result<()> {
    let back = Back {
        course,
        session,
        recovery,
        target,
    };
    let text = if back.is_needed().await? {
        back.put(why).await?
    } else {
        format!("{why}; nothing of it went live")
    };
    let patch = TargetPatch {
        status: Some(TargetState::RolledBack),
        error: Some(text),
        ..TargetPatch::default()
    };
    course.set(target, patch).await?;
    Ok(())
}

/// What was under way is put back, what is settled stays, and the pipeline is over.
async fn undo(fleet: &Fleet, ctx: &JobContext, why: &JobFailure) -> Result<()> {
    let row = row_of(fleet, ctx).await?;
    if row.status == PipelineState::Approved {
        // Nothing went live. What lies beside the site goes, where it can be reached.
        if !nothing_begun(ctx).await? {
            clear(fleet, ctx).await;
        }
        if why.class != Class::User {
            return Course::of(fleet, ctx).await?.fail(&why.message).await;
        }
        let tx = ctx.begin().await?;
        let teller = Teller::of_job(ctx);
        end_untouched(&tx, row.id, &[row.status], &why.message, teller).await?;
        tx.commit().await?;
        return Ok(());
    }
    let course = Course::of(fleet, ctx).await?;
    let (session, recovery) = fleet.open_site_recovering(ctx, &course.site).await?;
    if OWN.contains(&row.status) {
        for target in course.targets().await?.iter().rev() {
            if target.status == TargetState::Updating {
                put_back(&course, &session, &recovery, target, &why.message).await?;
            }
        }
        fleet.leave_maintenance(ctx, &session, &course.site).await?;
        conclude(&course, why).await?;
    }
    updater::let_be(&course, &session).await;
    end::clear(&course, &session).await?;
    session.close().await;
    Ok(())
}

/// Removes what lies beside a site that was not changed, as far as that can be done now.
async fn clear(fleet: &Fleet, ctx: &JobContext) {
    let clearing = async {
        let course = Course::of(fleet, ctx).await?;
        let (session, _) = fleet.open_site_recovering(ctx, &course.site).await?;
        updater::let_be(&course, &session).await;
        end::clear(&course, &session).await?;
        session.close().await;
        Ok::<_, Error>(())
    };
    if let Err(error) = clearing.await {
        ctx.line(format!(
            "something may lie beside the site until its next job: {error}"
        ));
    }
}

/// The end of a pipeline that was stopped, or could not go on.
async fn conclude(course: &Course<'_>, why: &JobFailure) -> Result<()> {
    let targets = course.targets().await?;
    let of = |state| {
        let of_state = targets.iter().filter(|target| target.status == state);
        of_state.count()
    };
    let tx = course.ctx.begin().await?;
    pipelines::skip_others(&tx, course.row().id, &why.message).await?;
    tx.commit().await?;
    match (of(TargetState::Updated), why.class) {
        // Each that is kept was verified by itself.
        (updated, Class::User) if updated > 0 => end::complete(course, updated).await,
        (0, Class::User) => end::rolled_back(course, &why.message).await,
        _ => course.fail(&why.message).await,
    }
}
