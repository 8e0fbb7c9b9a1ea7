//! The tables of a target: kept as they are before it, sealed after it, merged back.

use crate::{Error, Result, pipelines::course::Course, reach::told};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_wordpress::database::restore_point::{
    Made, MergeOptions, MergeReport, PointOptions, SealedPoint,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The step that keeps tables; its result names the point.
const POINT: &str = "restore point";

/// A point, as a step keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    point: String,
}

/// Whether the site's agent can keep tables.
pub(super) fn can_be_kept(session: &Session) -> bool {
    session.require("take_point").is_ok()
}

/// Keeps the tables as they are. What the last point of this job has kept and is still so is
/// not copied again.
pub(super) async fn keep(course: &Course<'_>, session: &Session) -> Result<String> {
    let (ctx, site) = (course.ctx, course.fleet.site_ref(&course.site));
    let last: Option<Kept> = ctx
        .done_step(POINT)
        .await?
        .and_then(|step| Kept::deserialize(step.result?).ok());
    let options = PointOptions {
        reuse: last.map(|kept| kept.point),
        ..PointOptions::default()
    };
    let keeping = async {
        let point = session.take_point(ctx.epoch(), site, options).await?;
        let copied = point.tables.iter().filter(|table| !table.reused).count();
        ctx.line(format!(
            "{} tables are kept as they are ({copied} copied, {} bytes, {} ms)",
            point.tables.len(),
            point.bytes,
            point.took_ms
        ));
        for left in &point.left_out {
            ctx.line(format!("not kept: `{}`: {}", left.name, left.why));
        }
        Ok(Kept {
            point: point.handle,
        })
    };
    let kept = ctx.step(POINT, told(keeping)).await?;
    Ok(kept.point)
}

/// Keeps what the update made of them, before anybody else may write.
pub(super) async fn seal(
    course: &Course<'_>,
    session: &Session,
    point: &str,
) -> Result<SealedPoint> {
    let site = course.fleet.site_ref(&course.site);
    let sealed = session.seal_point(course.ctx.epoch(), site, point).await?;
    let names = |names: &[String]| names.join("`, `");
    let changed: Vec<_> = sealed
        .changed
        .iter()
        .map(|table| table.name.clone())
        .collect();
    for (what, tables) in [
        ("changed", &changed),
        ("made", &sealed.created),
        ("dropped", &sealed.dropped),
    ] {
        if !tables.is_empty() {
            course
                .ctx
                .line(format!("tables it {what}: `{}`", names(tables)));
        }
    }
    Ok(sealed)
}

/// Takes an update back out of the tables. `open`: visitors may have been let in since.
pub(super) async fn take_back(
    course: &Course<'_>,
    session: &Session,
    point: &str,
    open: bool,
) -> Result<MergeReport> {
    let site = course.fleet.site_ref(&course.site);
    let options = MergeOptions { open };
    let epoch = course.ctx.epoch();
    let report = session.merge_point(epoch, site, point, options).await?;
    for table in &report.tables {
        if table.how != Made::Already {
            course.ctx.line(format!(
                "table `{}`: {} rows as they were, {} of others kept",
                table.name, table.rows_returned, table.rows_kept
            ));
        }
    }
    if report.verified {
        return Ok(report);
    }
    Err(Error::new(
        Kind::Remote,
        "the tables could not be verified to be as they were; what was there is kept aside",
    ))
}

/// Says what of a report people should know, in a sentence; empty where there is nothing.
pub(super) fn told_of(report: &MergeReport) -> String {
    match report.conflicts() {
        0 => String::new(),
        1 => "; 1 row that somebody wrote since was left as it is".to_owned(),
        many => format!("; {many} rows that somebody wrote since were left as they are"),
    }
}

/// What is kept of a report.
pub(super) fn detail(report: &MergeReport) -> serde_json::Value {
    json!({ "merge": report })
}

/// Drops a point.
pub(super) async fn drop_point(course: &Course<'_>, session: &Session, point: &str) -> Result<()> {
    let site = course.fleet.site_ref(&course.site);
    Ok(session.drop_point(course.ctx.epoch(), site, point).await?)
}

/// Drops the points that pipelines which were given up have left: a site has one pipeline at a
/// time, and nothing else keeps points.
pub(super) async fn drop_others(course: &Course<'_>, session: &Session) -> Result<()> {
    if !can_be_kept(session) {
        return Ok(());
    }
    let site = course.fleet.site_ref(&course.site);
    let steps = course.ctx.steps().await?;
    let own: Vec<Kept> = steps
        .into_iter()
        .filter(|step| step.name == POINT)
        .filter_map(|step| Kept::deserialize(step.result?).ok())
        .collect();
    let recovered = session.recover_database(course.ctx.epoch(), site).await?;
    for point in &recovered.points {
        if !own.iter().any(|kept| kept.point == *point) {
            drop_point(course, session, point).await?;
        }
    }
    Ok(())
}

/// Every point that this job has taken.
pub(super) async fn own(course: &Course<'_>) -> Result<Vec<String>> {
    let steps = course.ctx.steps().await?;
    Ok(steps
        .into_iter()
        .filter(|step| step.name == POINT)
        .filter_map(|step| Kept::deserialize(step.result?).ok())
        .map(|kept| kept.point)
        .collect())
}
