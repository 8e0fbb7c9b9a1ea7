//! Pipelines while they go on: a line for each thing that changes, and a report at the end.

use super::show;
use crate::{Exit, Failure, Printer, table::plain};
use pressroom_base::{Timestamp, id::ShortId};
use pressroom_fleet::{
    Caller, Fleet,
    pipelines::{Pipeline, PipelineDetails, PipelineState, StageStatus, TargetState},
};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Between looks.
const PAUSE: Duration = Duration::from_millis(250);
/// How long one waits for a worker before it is said.
const PATIENCE: Duration = Duration::from_secs(5);

/// Follows pipelines until each is over, or waits for somebody.
pub(in crate::commands) async fn follow(
    fleet: &Fleet,
    caller: &Caller,
    ids: Vec<ShortId>,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let mut said = false;
    let mut last: Vec<Option<Pipeline>> = vec![None; ids.len()];
    loop {
        let mut open = false;
        for (id, last) in ids.iter().zip(&mut last) {
            if last.as_ref().is_some_and(rests) {
                continue;
            }
            let found = fleet.find_pipeline(caller, id).await?;
            for line in news(last.as_ref(), &found.pipeline) {
                tell(&found.pipeline, &line, printer);
            }
            open |= !rests(&found.pipeline);
            if printer.json() && rests(&found.pipeline) {
                printer.json_line(&found);
            }
            *last = Some(found.pipeline);
        }
        if !open {
            break;
        }
        let waits = |one: &Pipeline| one.status == PipelineState::Pending;
        if !said && begun.elapsed() > PATIENCE && last.iter().flatten().all(waits) {
            said = true;
            printer.note(
                "nothing has begun: a pipeline begins when its time has come, its site is free, \
                 and `pressroom serve` runs, whether or not this command waits for it",
            );
        }
        sleep(PAUSE).await;
    }
    let mut worst = Exit::Done;
    for id in &ids {
        let found = fleet.find_pipeline(caller, id).await?;
        let one = exit(&found.pipeline);
        // A failure is worse than somebody who is asked.
        if worst == Exit::Done || one == Exit::Failed {
            worst = one;
        }
        if !printer.json() {
            report(&found, printer);
        }
    }
    Ok(worst)
}

/// How a pipeline's end, or its waiting, ends a command. One that is complete without some of
/// its targets did not do what was asked.
fn exit(pipeline: &Pipeline) -> Exit {
    let missed = [TargetState::Failed, TargetState::RolledBack];
    match pipeline.status {
        PipelineState::Completed
            if pipeline
                .targets
                .iter()
                .any(|target| missed.contains(&target.status)) =>
        {
            Exit::Failed
        }
        PipelineState::Completed => Exit::Done,
        PipelineState::Failed | PipelineState::RolledBack | PipelineState::Cancelled => {
            Exit::Failed
        }
        _ => Exit::Waiting,
    }
}

/// Whether nothing happens until somebody does something.
fn rests(one: &Pipeline) -> bool {
    one.status.is_final() || one.status == PipelineState::AwaitingApproval
}

fn report(found: &PipelineDetails, printer: &mut Printer) {
    printer.line("");
    show::show(found, printer);
    if found.pipeline.status == PipelineState::AwaitingApproval {
        printer.note(&format!(
            "nothing was changed yet; `pressroom pipeline approve pipe_{}` makes the updates, \
             `pressroom pipeline cancel pipe_{}` leaves them",
            found.pipeline.id, found.pipeline.id
        ));
    }
}

fn tell(one: &Pipeline, line: &str, printer: &mut Printer) {
    if printer.json() {
        return;
    }
    let now = Timestamp::now().to_rfc3339();
    let time = now.get(11..19).unwrap_or_default();
    printer.line(&format!("{time} {}  {}", plain(&one.site), plain(line)));
}

/// What is otherwise than at the last look, in the order in which it happens.
fn news(last: Option<&Pipeline>, now: &Pipeline) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, stage) in now.stages.iter().enumerate() {
        let was = last.and_then(|last| last.stages.get(index));
        let quiet = matches!(stage.status, StageStatus::Pending | StageStatus::NotNeeded);
        if was.is_some_and(|was| was.status == stage.status) || (was.is_none() && quiet) {
            continue;
        }
        let message = stage.message.as_deref().unwrap_or_default();
        let dash = if message.is_empty() { "" } else { ": " };
        lines.push(format!(
            "{} {}{dash}{message}",
            stage.name.as_str(),
            stage.status.as_str()
        ));
    }
    for target in &now.targets {
        let was = last.and_then(|last| {
            last.targets
                .iter()
                .find(|was| was.label() == target.label())
        });
        if was.is_none_or(|was| was.status == target.status) {
            continue;
        }
        let why = target.error.as_deref().unwrap_or_default();
        let dash = if why.is_empty() { "" } else { ": " };
        lines.push(format!("  {} {}{dash}{why}", target.label(), target.status));
    }
    if last.is_some_and(|last| last.status != now.status) && rests(now) {
        lines.push(format!("pipe_{} is {}", now.id, now.status));
    }
    lines
}
