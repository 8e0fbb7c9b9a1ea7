//! The job: baseline, stage, snapshot, swap, tables, verify, and back if the site
//! suffers.

use super::{
    CoreOutcome, CoreReport,
    attempt::{Attempt, Kept, OPEN, SWAP, TABLES, VERDICT},
    back,
    stage::stage_core,
    start::Payload,
    tables::upgrade_tables,
};
use crate::{
    Error, Fleet, Result, code,
    look::Look,
    maintenance::during_maintenance,
    reach::told,
    snapshots::{self, Contents, NewSnapshot},
};
use async_trait::async_trait;
use pressroom_base::{Kind, catalog::event};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_phpdata::version::compare;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{bridge::outcomes::DatabaseUpgraded, core::StagedCore};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// Brings one site to a version of WordPress.
pub(crate) struct CoreJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for CoreJob {
    fn name(&self) -> &'static str {
        "core_update"
    }

    /// Taken back, unless it was only its end that was not written: `run` looks.
    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }

    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(Box::pin(back::undo(&self.0, ctx)).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let asked: Payload = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    let work = Work {
        fleet,
        ctx,
        asked,
        row,
        session,
    };
    if let Some(step) = ctx.done_step(VERDICT).await? {
        let report = serde_json::from_value(step.result.unwrap_or_default());
        return work.finish(report.map_err(Error::internal)?).await;
    }
    if ctx.attempt() > 1 {
        return Err(Error::new(Kind::Remote, "Interrupted"));
    }
    work.run().await
}

struct Work<'a> {
    fleet: &'a Fleet,
    ctx: &'a JobContext,
    asked: Payload,
    row: EnvironmentRow,
    session: Session,
}

impl Work<'_> {
    async fn run(&self) -> Result<Value> {
        let (ctx, fleet) = (self.ctx, self.fleet);
        if !self.asked.reinstall {
            // Tables that cannot be kept are not upgraded either.
            self.session.require("take_snapshot")?;
        }
        let old = self.version().await?;
        let new = if self.asked.reinstall {
            old.clone()
        } else {
            self.asked.version.clone()
        };
        match compare(&new, &old) {
            Ordering::Equal if !self.asked.reinstall => return self.unchanged(&old).await,
            Ordering::Less => {
                let why = format!("WordPress {new} is older than {old}, which is there");
                return Err(Error::invalid(why).with_code(code::UNPROCESSABLE));
            }
            _ => {}
        }
        let now = self.session.maintenance(&self.row.path).await?;
        if now.is_in_force() {
            return Err(Error::conflict(
                "the site is in maintenance: what a new version does to its pages could not be seen",
            )
            .with_hint("end it first; an update shows the maintenance page by itself"));
        }
        let baseline = fleet.look_at(&self.row).await;
        if let Some(trouble) = baseline.trouble()
            && !self.asked.reinstall
        {
            return Err(Error::new(
                Kind::Remote,
                format!(
                    "WordPress was not updated: the site did not answer before ({trouble}), so its health after it could not be judged"
                ),
            ));
        }
        let package = fleet
            .parts
            .packages
            .core(Some(&new), &self.row.locale)
            .await?;
        let staged = ctx
            .step(
                "stage",
                told(stage_core(
                    &self.session,
                    ctx.epoch(),
                    &self.row.path,
                    &self.row.php_version,
                    &package,
                    &new,
                )),
            )
            .await?;
        ctx.progress(25, &format!("WordPress {new} lies beside the site"))
            .await?;
        let exchange = self.exchange(staged, old);
        let (attempt, upgraded) =
            during_maintenance(ctx, &self.session, &self.row.path, exchange).await?;
        let open = fleet.leave_maintenance(ctx, &self.session, &self.row);
        ctx.step(OPEN, told(open)).await?;
        ctx.progress(85, "looking at the site").await?;
        if let Some(trouble) = self.suffering(&attempt, &baseline).await? {
            let (old, new) = (&attempt.old_version, &attempt.new_version);
            let message = if self.asked.reinstall {
                format!("the fresh files of WordPress {new} were taken back because {trouble}")
            } else {
                format!(
                    "WordPress {new} was taken back because {trouble}; {old} is live again with its tables"
                )
            };
            return Err(Error::new(Kind::Remote, message).with_code(code::TAKEN_BACK));
        }
        let report = self.report(&attempt, upgraded);
        ctx.step(VERDICT, told(async { Ok(report.clone()) }))
            .await?;
        self.finish(report).await
    }

    /// The version on disk.
    async fn version(&self) -> Result<String> {
        let inspection = self.session.inspect(&self.row.path).await?;
        inspection
            .version
            .filter(|version| !version.is_empty())
            .ok_or_else(|| Error::new(Kind::Remote, "the site's version cannot be read"))
    }

    async fn unchanged(&self, version: &str) -> Result<Value> {
        let report = CoreReport {
            outcome: CoreOutcome::Unchanged,
            old_version: version.to_owned(),
            new_version: version.to_owned(),
            tree_before: None,
            tree_now: None,
            snapshot: None,
            databases: 0,
            message: format!("WordPress {version} is there already"),
        };
        self.ctx.progress(100, &report.message).await?;
        serde_json::to_value(report).map_err(Error::internal)
    }

    /// Everything that visitors must not see half of: the tables are kept as they are
    /// while nobody writes to them, then files and tables change.
    async fn exchange(
        &self,
        staged: StagedCore,
        old: String,
    ) -> Result<(Attempt, Option<DatabaseUpgraded>)> {
        let (ctx, fleet, epoch) = (self.ctx, self.fleet, self.ctx.epoch());
        let tables = if self.asked.reinstall {
            None
        } else {
            Some(self.keep_tables(&staged.version).await?)
        };
        ctx.progress(60, "the present state is kept").await?;
        let attempt = Attempt {
            swap: staged.swap,
            old_version: old,
            new_version: staged.version,
            tables,
        };
        let intent = serde_json::to_value(&attempt).map_err(Error::internal)?;
        let swap = attempt.swap.clone();
        ctx.step_intending(
            SWAP,
            intent,
            told(async {
                let swapped = self.session.swap_core(epoch, swap).await?;
                if swapped.tree.hash != attempt.swap.after {
                    return Err(Error::new(
                        Kind::Remote,
                        "the files changed while they were exchanged",
                    ));
                }
                Ok(swapped.tree.hash)
            }),
        )
        .await?;
        self.flush().await;
        if attempt.tables.is_none() {
            return Ok((attempt, None));
        }
        ctx.progress(70, "upgrading the tables").await?;
        let upgraded = ctx
            .step(TABLES, told(self.upgrade_tables(&attempt)))
            .await?;
        fleet
            .flush_caches(ctx, &self.session, &self.row, vec![self.row.path.clone()])
            .await;
        Ok((attempt, Some(upgraded)))
    }

    async fn keep_tables(&self, version: &str) -> Result<Kept> {
        let (fleet, ctx) = (self.fleet, self.ctx);
        let new = NewSnapshot {
            contents: Contents::Database,
            note: format!("before the update to WordPress {version}"),
            ..NewSnapshot::default()
        };
        let snapshot = snapshots::keep_once(fleet, ctx, &self.session, &self.row, &new).await?;
        let site = fleet.site_ref(&self.row);
        let checksums = self.session.database_checksums(site, Vec::new()).await?;
        Ok(Kept {
            snapshot,
            checksums,
        })
    }

    async fn upgrade_tables(&self, attempt: &Attempt) -> Result<DatabaseUpgraded> {
        let upgraded = upgrade_tables(
            self.fleet,
            self.ctx,
            &self.session,
            &self.row,
            &self.row.path,
        );
        upgraded.await?.map_err(|why| {
            let (old, new) = (&attempt.old_version, &attempt.new_version);
            Error::new(
                Kind::Remote,
                format!(
                    "WordPress {new} was taken back because its upgrade of the tables failed ({why}); {old} is live again with its tables"
                ),
            )
            .with_code(code::TAKEN_BACK)
        })
    }

    /// Why the site is worse off than before; `None` when it is not.
    async fn suffering(&self, attempt: &Attempt, baseline: &Look) -> Result<Option<String>> {
        let version = self.version().await?;
        if version != attempt.new_version {
            return Ok(Some(format!("its files say version {version}")));
        }
        let look = self.fleet.look_at(&self.row).await;
        // What was broken before may still be: then there is nothing to compare with.
        Ok(look
            .worse_than(baseline)
            .filter(|_| baseline.trouble().is_none()))
    }

    fn report(&self, attempt: &Attempt, upgraded: Option<DatabaseUpgraded>) -> CoreReport {
        let (old, new) = (attempt.old_version.clone(), attempt.new_version.clone());
        let (outcome, message) = if self.asked.reinstall {
            (
                CoreOutcome::Reinstalled,
                format!(
                    "the files of WordPress {new} are those of its package again, and nothing else is in `wp-admin` and `wp-includes`"
                ),
            )
        } else {
            (
                CoreOutcome::Updated,
                format!(
                    "WordPress was updated from {old} to {new}: files and tables verified, the site answers"
                ),
            )
        };
        CoreReport {
            outcome,
            old_version: old,
            new_version: new,
            tree_before: Some(attempt.swap.before.clone()),
            tree_now: Some(attempt.swap.after.clone()),
            snapshot: attempt.tables.as_ref().map(|kept| kept.snapshot.clone()),
            databases: upgraded.map_or(0, |upgraded| upgraded.blogs.len()),
            message,
        }
    }

    /// The new version stays: what it displaced goes.
    async fn finish(&self, report: CoreReport) -> Result<Value> {
        let (ctx, fleet) = (self.ctx, self.fleet);
        back::let_go(ctx, &self.session).await?;
        fleet
            .leave_maintenance(ctx, &self.session, &self.row)
            .await?;
        // The version is judged: nothing that fails from here is a reason to take it back.
        if let Err(error) = fleet.record_state(ctx, &self.session, &self.row).await {
            ctx.line(format!("the site was not looked into: {}", error.message()));
        }
        let tx = ctx.begin().await?;
        let told = json!({ "from": report.old_version, "to": report.new_version });
        fleet.emit(&tx, ctx, event::CORE_UPDATED, told).await?;
        tx.commit().await?;
        ctx.progress(100, &report.message).await?;
        serde_json::to_value(report).map_err(Error::internal)
    }

    async fn flush(&self) {
        let changed = vec![self.row.path.clone()];
        self.fleet
            .flush_caches(self.ctx, &self.session, &self.row, changed)
            .await;
    }
}
