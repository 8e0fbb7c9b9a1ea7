//! The job: components one by one, so that one that fails never spoils the others.

use super::{
    bench::Bench,
    install::{self, Wanted},
    put_out,
    report::{ChangeOutcome, ChangeReport},
    start::{Change, ChangeComponents},
};
use crate::{
    Error, Fleet, Result,
    reach::{nothing_begun, told},
};
use async_trait::async_trait;
use pressroom_base::catalog::event;
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_wordpress::{component::ComponentKind, recovery::Recovery};
use serde_json::{Value, json};

/// Installs, activates, deactivates or deletes components of one environment.
pub(crate) struct ChangeJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for ChangeJob {
    fn name(&self) -> &'static str {
        "component_change"
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let mut report = ChangeReport::default();
        let ended = Box::pin(run(&self.0, ctx, &mut report)).await;
        let value =
            serde_json::to_value(&report).map_err(|error| JobFailure::bug(error.to_string()))?;
        if let Err(error) = ended {
            // What was done before stays, and is told.
            return Err(JobFailure::from(error).with_result(value));
        }
        match report.failure() {
            None => Ok(value),
            Some(failure) => Err(JobFailure::from(failure).with_result(value)),
        }
    }

    /// What is not settled is put back; a plugin whose uninstall routine has begun stays
    /// out of use.
    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(Box::pin(undo(&self.0, ctx)).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext, report: &mut ChangeReport) -> Result<()> {
    let change: ChangeComponents = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let (session, recovery) = fleet.open_site_recovering(ctx, &row).await?;
    let total = change.names.len().max(1);
    for (index, slug) in change.names.iter().enumerate() {
        ctx.check()?;
        let bench = Bench {
            fleet,
            ctx,
            session: &session,
            row: &row,
            kind: component_kind(&change.kind),
            slug,
        };
        let name = step_name(&change.change, slug);
        let outcome = if let Some(outcome) = settled(ctx, &name).await? {
            outcome
        } else {
            let work = async {
                let outcome = change_one(&bench, &change.change, &recovery).await?;
                ctx.line(&outcome.message);
                record(&bench, &change.change, &outcome).await?;
                Ok(outcome)
            };
            ctx.step(&name, told(work)).await?
        };
        clear(ctx, &session, slug).await?;
        report.items.push(outcome);
        let done = u8::try_from((index + 1) * 95 / total).unwrap_or(95);
        let line = format!("{} of {total} {}s done", index + 1, change.kind);
        ctx.progress(done, &line).await?;
    }
    fleet.record_state(ctx, &session, &row).await
}

async fn change_one(
    bench: &Bench<'_>,
    change: &Change,
    recovery: &Recovery,
) -> Result<ChangeOutcome> {
    match (change, bench.kind) {
        (
            Change::Install {
                version,
                source,
                activate,
            },
            _,
        ) => {
            let whole = bench.ctx.secrets()?;
            if let (Some(shown), None) = (source, &whole) {
                // The directory's package of that name would be another one.
                return Err(Error::invalid(format!(
                    "the whole address of {shown} is not known any more"
                ))
                .with_hint("ask for it once more"));
            }
            let wanted = Wanted {
                version: version.as_deref(),
                source: whole.as_ref().map(|whole| whole.expose().as_str()),
                activate: *activate,
            };
            bench.install(wanted, recovery).await
        }
        (Change::Activate, ComponentKind::Plugin) => bench.activate_plugin().await,
        (Change::Activate, ComponentKind::Theme) => bench.activate_theme().await,
        (Change::Deactivate, ComponentKind::Plugin) => bench.deactivate_plugin().await,
        (Change::Deactivate, ComponentKind::Theme) => bench.deactivate_theme().await,
        (Change::Delete { force }, _) => bench.delete(*force, recovery).await,
    }
}

async fn undo(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    if nothing_begun(ctx).await? {
        return Ok(());
    }
    let change: ChangeComponents = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let (session, recovery) = fleet.open_site_recovering(ctx, &row).await?;
    let mut failed = None;
    for slug in &change.names {
        if settled(ctx, &step_name(&change.change, slug))
            .await?
            .is_some()
        {
            clear(ctx, &session, slug).await?;
            continue;
        }
        let bench = Bench {
            fleet,
            ctx,
            session: &session,
            row: &row,
            kind: component_kind(&change.kind),
            slug,
        };
        let undone = match (&change.change, bench.kind) {
            (Change::Install { .. }, _) => bench.undo_install(&recovery).await,
            (Change::Delete { .. }, _) => bench.undo_delete(&recovery).await,
            (_, ComponentKind::Plugin) => bench.undo_switch().await,
            (_, ComponentKind::Theme) => bench.undo_theme().await,
        };
        if let Err(error) = undone {
            // One that cannot be put back must not keep the others.
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Lets go of what is kept beside the site for a component that is settled.
async fn clear(ctx: &JobContext, session: &Session, slug: &str) -> Result<()> {
    let put_in = install::made(ctx, slug).await?.into_iter();
    let put_out = put_out::made(ctx, slug).await?.into_iter();
    for swap in put_in.chain(put_out.map(|out| out.swap)) {
        session.drop_staged(ctx.epoch(), &swap.staged).await?;
    }
    Ok(())
}

/// Tells of an outcome, before it is recorded as settled: told twice is better than never.
async fn record(bench: &Bench<'_>, change: &Change, outcome: &ChangeOutcome) -> Result<()> {
    let name = match (outcome.is_success(), outcome.changed, change) {
        (false, ..) => event::COMPONENT_CHANGE_FAILED,
        (true, false, _) => return Ok(()),
        (true, true, Change::Install { .. }) => event::COMPONENT_INSTALLED,
        (true, true, Change::Activate) => event::COMPONENT_ACTIVATED,
        (true, true, Change::Deactivate) => event::COMPONENT_DEACTIVATED,
        (true, true, Change::Delete { .. }) => event::COMPONENT_DELETED,
    };
    let tx = bench.ctx.begin().await?;
    let told = json!({ "kind": bench.noun(), "change": change.verb(), "outcome": outcome });
    bench.fleet.emit(&tx, bench.ctx, name, told).await?;
    tx.commit().await.map_err(Error::internal)
}

/// The outcome that an earlier run of this job has already recorded.
async fn settled(ctx: &JobContext, name: &str) -> Result<Option<ChangeOutcome>> {
    let done = ctx.done_step(name).await?;
    Ok(done
        .and_then(|step| step.result)
        .and_then(|result| serde_json::from_value(result).ok()))
}

fn step_name(change: &Change, slug: &str) -> String {
    format!("{} {slug}", change.verb())
}

fn component_kind(name: &str) -> ComponentKind {
    if name == "theme" {
        ComponentKind::Theme
    } else {
        ComponentKind::Plugin
    }
}
