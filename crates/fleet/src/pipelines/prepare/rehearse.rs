//! The updates, tried in a throw-away clone: all together first, and one by one where that
//! shows that one of them is bad.

use super::trial::{Trial, Verdict};
use crate::{
    Error, Fleet, Result,
    pipelines::{
        StageName, StageStatus, course::Course, looking::BLOCKING, tell, updater, view::label,
    },
    teller::Teller,
};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{NewFinding, TargetPatch, TargetRow, TargetState, pipelines};
use serde_json::{Value, json};

/// What came of it.
pub(super) struct Rehearsed {
    /// Targets that are still to be updated.
    pub(super) left: usize,
    /// Whether it was made, and found nothing that somebody should look at.
    pub(super) clean: bool,
}

/// Tries every target that is open. Those that break the clone are not made at the site.
pub(super) async fn rehearse(course: &Course<'_>, session: &Session) -> Result<Rehearsed> {
    if let Err(error) = session.require("make_rehearsal") {
        return skipped(course, &error.to_string()).await;
    }
    let stage = StageName::Rehearsal.as_str();
    let mut details = Vec::new();
    loop {
        course.ctx.check()?;
        let targets = open(course).await?;
        if targets.is_empty() {
            break;
        }
        let names: Vec<_> = targets
            .iter()
            .map(|target| label(&target.kind, &target.slug))
            .collect();
        course
            .ctx
            .line(format!("trying {} in a clone", names.join(", ")));
        let trial = Trial { course, session };
        let tried = match trial.all(&targets).await {
            Ok(tried) => tried,
            Err(error) if is_about_host(&error) && details.is_empty() => {
                return skipped(course, error.message()).await;
            }
            Err(error) => return Err(error),
        };
        details.push(tried.detail);
        match tried.verdict {
            Verdict::Fine { findings, seen } => {
                record(course, findings.clone()).await?;
                let warned = findings.iter().any(|found| found.severity == "warning");
                let left = targets.len();
                let text = match &seen {
                    None => format!("{left} tried, nothing is worse"),
                    Some(why) => {
                        format!(
                            "{left} tried, nothing is worse; the visual check was not made: {why}"
                        )
                    }
                };
                leave(course, StageStatus::Passed, &text, details).await?;
                return Ok(Rehearsed {
                    left,
                    clean: !warned && seen.is_none(),
                });
            }
            Verdict::Bad { target, findings } => {
                blame(course, &target, findings, stage).await?;
            }
            Verdict::Somebody { findings } => {
                let found = trial.one_by_one(&targets).await?;
                match found {
                    Some((target, findings)) => {
                        blame(course, &target, findings, stage).await?;
                    }
                    // Each by itself is fine, and together they are not.
                    None => {
                        for target in &targets {
                            blame(course, target, findings.clone(), stage).await?;
                        }
                    }
                }
            }
        }
    }
    let text = "every update breaks the clone";
    leave(course, StageStatus::Failed, text, details).await?;
    Ok(Rehearsed {
        left: 0,
        clean: false,
    })
}

/// Removes what is left of a clone, and lets WordPress update itself: whatever a dead session left, the first call of the next one
/// finds in the site's journal and removes.
pub(super) async fn clear(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    let course = Course::of(fleet, ctx).await?;
    let session = fleet.open_site(ctx, &course.site).await?;
    updater::let_be(&course, &session).await;
    session.close().await;
    Ok(())
}

async fn open(course: &Course<'_>) -> Result<Vec<TargetRow>> {
    let targets = course.targets().await?;
    Ok(targets
        .into_iter()
        .filter(|target| target.status == TargetState::Pending)
        .collect())
}

/// No clone can be made: somebody is asked then, whatever was said.
async fn skipped(course: &Course<'_>, why: &str) -> Result<Rehearsed> {
    let left = open(course).await?.len();
    course
        .leave(StageName::Rehearsal, StageStatus::Skipped, why, Value::Null)
        .await?;
    Ok(Rehearsed { left, clean: false })
}

async fn leave(
    course: &Course<'_>,
    status: StageStatus,
    text: &str,
    details: Vec<Value>,
) -> Result<()> {
    let detail = json!({ "trials": details });
    course
        .leave(StageName::Rehearsal, status, text, detail)
        .await
}

/// A target is not made at the site, for what it did in the clone.
async fn blame(
    course: &Course<'_>,
    target: &TargetRow,
    findings: Vec<NewFinding>,
    stage: &str,
) -> Result<()> {
    let name = label(&target.kind, &target.slug);
    let worst = findings
        .iter()
        .find(|found| found.severity == BLOCKING)
        .map_or_else(|| "it breaks the clone".to_owned(), |it| it.message.clone());
    course.ctx.line(format!("{name} is left out: {worst}"));
    let blamed = findings.into_iter().map(|found| NewFinding {
        stage: stage.to_owned(),
        target: Some(name.clone()),
        ..found
    });
    let row = course.row();
    let tx = course.ctx.begin().await?;
    pipelines::add_findings(&tx, row.id, blamed.collect()).await?;
    let patch = TargetPatch {
        status: Some(TargetState::Failed),
        error: Some(format!("it broke the rehearsal: {worst}")),
        ..TargetPatch::default()
    };
    pipelines::set_target(&tx, target.id, patch).await?;
    let error = format!("{name}: {worst}");
    tell::failed(&tx, &row, Teller::of_job(course.ctx), &error, false).await?;
    tx.commit().await?;
    Ok(())
}

async fn record(course: &Course<'_>, findings: Vec<NewFinding>) -> Result<()> {
    let tx = course.ctx.begin().await?;
    pipelines::add_findings(&tx, course.row().id, findings).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether no clone can be made here, rather than that something went wrong.
fn is_about_host(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Unsupported | Kind::Limited | Kind::Remote | Kind::Conflict | Kind::Invalid
    )
}
