//! The import itself: load, exchange, look, and back if the site suffers.

use super::start::{Payload, stamp_of};
use crate::{Error, Fleet, Result, code};
use async_trait::async_trait;
use pressroom_base::{Epoch, Kind, catalog::event};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_store::{EnvironmentRow, StepState};
use pressroom_wordpress::database::restore::{Aside, RestoreOptions, RestoreReport};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::fs::File;

/// Puts a dump in place of a site's tables.
pub(crate) struct ImportJob(pub(crate) Fleet);

const RESTORE: &str = "restore";
const JUDGE: &str = "judge";

/// Written down before a restore: enough for a successor to find it.
#[derive(Debug, Serialize, Deserialize)]
struct Intent {
    epoch: Epoch,
}

#[async_trait]
impl JobKind for ImportJob {
    fn name(&self) -> &'static str {
        "site_import"
    }

    /// The tables from before are kept until the dump was judged: until then an
    /// interrupted import is taken back and begins anew.
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
        Ok(Box::pin(undo(&self.0, ctx)).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let import: Payload = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    if let Some(judged) = settle(fleet, ctx, &session, &row).await? {
        return finish(fleet, ctx, &session, &row, judged).await;
    }
    let sql = open(&import).await?;
    let before = fleet.look_at(&row).await;
    ctx.progress(5, "loading the dump").await?;
    let report = restore(fleet, ctx, &session, &row, sql).await?;
    tell(ctx, &report);
    ctx.progress(80, "looking at the site").await?;
    fleet
        .flush_caches(ctx, &session, &row, vec![row.path.clone()])
        .await;
    let after = fleet.look_at(&row).await;
    let worse = after
        .worse_than(&before)
        .filter(|_| before.trouble().is_none());
    if let (Some(trouble), false) = (&worse, import.keep) {
        take_back(fleet, ctx, &session, &row, report.aside.clone()).await?;
        return Err(Error::new(
            Kind::Remote,
            format!("the dump was taken back because {trouble}; the tables from before are in place again"),
        )
        .with_code(code::TAKEN_BACK)
        .with_hint("`--keep` leaves it in place, e.g. to replace an address in it afterwards"));
    }
    if let Some(trouble) = after.trouble().or(worse) {
        ctx.line(format!(
            "the site is in trouble with these tables: {trouble}"
        ));
    }
    // From here there is no way back.
    let judged = serde_json::to_value(&report).map_err(Error::internal)?;
    let step = ctx.begin_step(JUDGE, Value::Null).await?;
    ctx.finish_step(step, StepState::Done, judged).await?;
    finish(fleet, ctx, &session, &row, report).await
}

/// The dump stays: the tables from before go.
async fn finish(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    report: RestoreReport,
) -> Result<Value> {
    if let Some(aside) = report.aside.clone() {
        session
            .drop_database_aside(ctx.epoch(), fleet.site_ref(row), aside)
            .await?;
    }
    fleet.record_state(ctx, session, row).await?;
    let tx = ctx.begin().await?;
    let rows = report.rows();
    fleet
        .emit(
            &tx,
            ctx,
            event::SITE_IMPORTED,
            json!({ "tables": report.tables.len(), "rows": rows }),
        )
        .await?;
    tx.commit().await?;
    let outcome = format!(
        "{} tables with {rows} rows are in place",
        report.tables.len()
    );
    ctx.progress(100, &outcome).await?;
    serde_json::to_value(&report).map_err(Error::internal)
}

/// The file that was asked for, and no other.
async fn open(import: &Payload) -> Result<File> {
    let path = import.file.display();
    let unreadable =
        |error: std::io::Error| Error::invalid(format!("`{path}` cannot be read: {error}"));
    // Looked at before it is opened: a pipe would keep us waiting.
    let named = tokio::fs::metadata(&import.file)
        .await
        .map_err(unreadable)?;
    let changed = || Error::conflict(format!("`{path}` changed since the import was asked for"));
    if stamp_of(&named) != import.stamp {
        return Err(changed());
    }
    let file = File::open(&import.file).await.map_err(unreadable)?;
    let opened = file.metadata().await.map_err(unreadable)?;
    if stamp_of(&opened) != import.stamp {
        return Err(changed());
    }
    Ok(file)
}

async fn restore(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    sql: File,
) -> Result<RestoreReport> {
    let intent = Intent { epoch: ctx.epoch() };
    let intent = serde_json::to_value(&intent).map_err(Error::internal)?;
    let step = ctx.begin_step(RESTORE, intent).await?;
    let restored = session
        .restore_database(
            ctx.epoch(),
            fleet.site_ref(row),
            RestoreOptions::default(),
            sql,
        )
        .await;
    match restored {
        Ok(report) => {
            let result = serde_json::to_value(&report.aside).map_err(Error::internal)?;
            ctx.finish_step(step, StepState::Done, result).await?;
            Ok(report)
        }
        Err(error) => {
            let why = json!({ "error": error.to_string() });
            ctx.finish_step(step, StepState::Failed, why).await?;
            Err(error.into())
        }
    }
}

/// The tables from before, in place again and seen to answer.
async fn take_back(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    aside: Option<Aside>,
) -> Result<()> {
    let Some(aside) = aside else { return Ok(()) };
    session
        .take_back_database(ctx.epoch(), fleet.site_ref(row), aside)
        .await?;
    fleet
        .flush_caches(ctx, session, row, vec![row.path.clone()])
        .await;
    ctx.line("the tables from before are in place again");
    Ok(())
}

/// Takes back what this job put in place, unless it was judged already.
async fn undo(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    if epochs(ctx).await?.is_empty() {
        return Ok(());
    }
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    settle(fleet, ctx, &session, &row).await?;
    Ok(())
}

/// Brings what attempts of this job left to one end: a dump that was not judged is
/// taken back; of one that was, the report is answered.
async fn settle(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
) -> Result<Option<RestoreReport>> {
    let recovered = session
        .recover_database(ctx.epoch(), fleet.site_ref(row))
        .await?;
    if let Some(result) = ctx.done_step(JUDGE).await?.and_then(|step| step.result) {
        let report = serde_json::from_value(result).map_err(Error::internal)?;
        return Ok(Some(report));
    }
    let epochs = epochs(ctx).await?;
    for aside in recovered.kept {
        // Only this job's: others may keep theirs on purpose.
        if epochs.contains(&aside.epoch) {
            take_back(fleet, ctx, session, row, Some(aside)).await?;
        }
    }
    Ok(None)
}

/// Under which epochs this job has begun to restore.
async fn epochs(ctx: &JobContext) -> Result<Vec<Epoch>> {
    let begun: Vec<Intent> = ctx.intents(RESTORE).await?;
    Ok(begun.iter().map(|intent| intent.epoch).collect())
}

fn tell(ctx: &JobContext, report: &RestoreReport) {
    for name in &report.untouched {
        ctx.line(format!("{name}: not in the dump, stays as it is"));
    }
    for what in &report.passed_over {
        ctx.line(format!("passed over: {what}"));
    }
    for one in report.collations.iter().chain(&report.engines) {
        ctx.line(format!("{} became {}", one.from, one.to));
    }
    for warning in &report.warnings {
        ctx.line(format!("{}: {}", warning.table, warning.text));
    }
}
