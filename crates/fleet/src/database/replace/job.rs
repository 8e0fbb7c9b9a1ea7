//! The replacement itself.

use super::{ReplaceReport, Replaced, SearchReplace};
use crate::{
    Error, Fleet, Result,
    reach::told,
    snapshots::{Contents, NewSnapshot, drop_unfinished, keep_once},
};
use async_trait::async_trait;
use pressroom_base::{Kind, catalog::event};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, RetryPolicy};
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::database::replace::{ColumnReport, TableReport};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Replaces texts in a site's tables. A run is named after its job, so that one that
/// was interrupted goes on and replaces nothing twice.
pub(crate) struct ReplaceJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for ReplaceJob {
    fn name(&self) -> &'static str {
        "site_search_replace"
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy::transport()
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let replaced = Box::pin(run(&self.0, ctx)).await?;
        let value =
            serde_json::to_value(&replaced).map_err(|error| JobFailure::bug(error.to_string()))?;
        match trouble(&replaced.report) {
            None => Ok(value),
            Some(why) => Err(JobFailure::new(Kind::Remote, why).with_result(value)),
        }
    }

    /// What was replaced is not undone: the old texts cannot be told from those that
    /// were there before.
    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        drop_unfinished(&self.0, ctx).await?;
        let begun = ctx.steps().await?.iter().any(|step| step.name == STEP);
        if begun && ctx.done_step(STEP).await?.is_none() {
            ctx.line("what was replaced before this job ended stays; the same command again replaces the rest");
        }
        Ok(())
    }
}

const STEP: &str = "replace";

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Replaced> {
    let replace: SearchReplace = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    fleet
        .refuse_unknown_tables(&session, &row, &replace)
        .await?;
    let backup = keep_tables(fleet, ctx, &session, &row, &replace).await?;
    ctx.progress(10, "replacing").await?;
    let report = if let Some(report) = recorded(ctx).await? {
        report
    } else {
        let work = async {
            let options = replace.options(format!("job-{}", ctx.id()), false);
            let report = session
                .search_replace(Some(ctx.epoch()), fleet.site_ref(&row), options)
                .await?;
            Ok(trimmed(report))
        };
        ctx.step(STEP, told(work)).await?
    };
    tell(ctx, &report);
    ctx.progress(80, "flushing caches").await?;
    fleet
        .flush_caches(ctx, &session, &row, vec![row.path.clone()])
        .await;
    // The address may be among what was replaced.
    fleet.record_state(ctx, &session, &row).await?;
    let tx = ctx.begin().await?;
    fleet
        .emit(
            &tx,
            ctx,
            event::SITE_SEARCHED_REPLACED,
            json!({
                "rows": report.rows, "replacements": report.replacements,
                "broken": report.broken, "failed": report.failed,
                "verified": report.verified,
            }),
        )
        .await?;
    tx.commit().await?;
    let outcome = format!(
        "{} texts replaced in {} rows",
        report.replacements, report.rows
    );
    ctx.progress(100, &outcome).await?;
    Ok(Replaced { report, backup })
}

/// The tables as they are, where that is asked for. Nothing is replaced without it.
async fn keep_tables(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    replace: &SearchReplace,
) -> Result<Option<String>> {
    if !replace.backup {
        return Ok(None);
    }
    let new = NewSnapshot {
        contents: Contents::Database,
        note: "before replacing a text".to_owned(),
        ..NewSnapshot::default()
    };
    keep_once(fleet, ctx, session, row, &new).await.map(Some)
}

/// What an earlier attempt of this job has done to its end.
async fn recorded(ctx: &JobContext) -> Result<Option<ReplaceReport>> {
    let Some(result) = ctx.done_step(STEP).await?.and_then(|step| step.result) else {
        return Ok(None);
    };
    let report = serde_json::from_value(result).map_err(Error::internal)?;
    Ok(Some(report))
}

/// Without the tables and columns of which there is nothing to say: a network has
/// thousands.
fn trimmed(mut report: ReplaceReport) -> ReplaceReport {
    let column_speaks = |column: &ColumnReport| {
        column.rows > 0
            || column.broken > 0
            || column.failed > 0
            || column.left > 0
            || column.remaining.is_some_and(|rows| rows > 0)
    };
    for table in &mut report.tables {
        table.columns.retain(column_speaks);
    }
    report
        .tables
        .retain(|table| table.skipped.is_some() || !table.columns.is_empty());
    report
}

/// One line for each column with something to say.
fn tell(ctx: &JobContext, report: &ReplaceReport) {
    for table in &report.tables {
        if let Some(why) = &table.skipped {
            ctx.line(format!("{}: left as it is, {why}", table.name));
        }
        for column in &table.columns {
            ctx.line(sentence(table, column));
        }
    }
    if report.resumed {
        ctx.line("an interrupted run was taken up; its figures are included");
    }
}

fn sentence(table: &TableReport, column: &ColumnReport) -> String {
    let mut text = format!(
        "{}.{}: {} texts in {} rows",
        table.name, column.name, column.replacements, column.rows
    );
    if let Some(why) = &column.skipped {
        text = format!("{}.{}: left as it is, {why}", table.name, column.name);
    }
    if column.broken > 0 {
        let _ = write!(
            text,
            "; {} broken serialized values left as they are ({})",
            column.broken,
            column.broken_keys.join(", ")
        );
    }
    if column.failed > 0 {
        let _ = write!(text, "; {} rows could not be written", column.failed);
        if let Some(first) = column.failures.first() {
            let _ = write!(text, ", the first ({}): {}", first.key, first.why);
        }
    }
    if let Some(remaining) = column.remaining.filter(|rows| *rows > 0) {
        let _ = write!(text, "; {remaining} rows still hold it");
    }
    text
}

/// Why the run is no success, although it came to its end.
fn trouble(report: &ReplaceReport) -> Option<String> {
    if report.failed > 0 {
        return Some(format!(
            "{} rows could not be written and are as they were; everything else was replaced",
            report.failed
        ));
    }
    (report.verified == Some(false)).then(|| {
        "the run came to its end, but the tables still hold the text where it should be gone: \
         somebody writes it anew"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_or_came_back_is_no_success() {
        let mut report = ReplaceReport {
            verified: Some(true),
            broken: 3,
            ..ReplaceReport::default()
        };
        assert_eq!(trouble(&report), None);
        report.verified = Some(false);
        assert!(trouble(&report).is_some_and(|why| why.contains("still hold")));
        report.failed = 2;
        assert!(trouble(&report).is_some_and(|why| why.contains("2 rows")));
    }

    #[test]
    fn tables_without_news_are_left_out() {
        let column = |name: &str, rows| ColumnReport {
            name: name.into(),
            rows,
            replacements: rows,
            ..ColumnReport::default()
        };
        let table = |name: &str, columns| TableReport {
            name: name.into(),
            columns,
            ..TableReport::default()
        };
        let kept = trimmed(ReplaceReport {
            tables: vec![
                table("wp_options", vec![column("a", 0), column("b", 2)]),
                table("wp_users", vec![column("c", 0)]),
            ],
            ..ReplaceReport::default()
        });
        assert_eq!(kept.tables.len(), 1);
        assert_eq!(
            sentence(&kept.tables[0], &kept.tables[0].columns[0]),
            "wp_options.b: 2 texts in 2 rows"
        );
    }
}
