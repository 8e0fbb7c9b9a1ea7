//! From a job that has ended to the end of its item.

use super::command;
use pressroom_jobs::{INTERRUPTED, JobRow, JobState};
use pressroom_store::{RunItemEnd, RunItemState};
use pressroom_wordpress::command::CommandEnd;
use serde::Deserialize;

/// What is said of an item whose worker was lost.
const LOST: &str = "its worker was lost: nobody knows how far it came";

/// How an item ended, told by its job; `None` while that is under way.
pub(super) fn of_job(job: Option<&JobRow>) -> Option<RunItemEnd> {
    let Some(job) = job else {
        return Some(interrupted());
    };
    let is_command = job.kind == command::KIND;
    let message = || {
        let message = job.error_message.clone().unwrap_or_default();
        with_hint(message, job.error_hint.as_deref())
    };
    Some(match job.state {
        // It may take as long as its host is away; the run does not wait for that.
        JobState::Queued if job.undo_to.is_some() => {
            let note = format!(
                "{}; it is taken back as soon as that can be done",
                message()
            );
            RunItemEnd::new(RunItemState::Failed, note)
        }
        JobState::Queued | JobState::Running => return None,
        JobState::Completed if is_command => {
            let end = job.result.as_ref().map(CommandEnd::deserialize);
            match end {
                Some(Ok(end)) => of_command(&end),
                _ => interrupted(),
            }
        }
        JobState::Completed => RunItemEnd::new(RunItemState::Done, job.message.clone()),
        JobState::Cancelled => RunItemEnd::new(RunItemState::Cancelled, "stopped on request"),
        JobState::Failed if job.error_code.as_deref() == Some(INTERRUPTED) => interrupted(),
        JobState::Dead if is_command => interrupted(),
        JobState::Failed | JobState::Dead => RunItemEnd::new(RunItemState::Failed, message()),
    })
}

/// What is said of a failure, in one line.
pub(super) fn with_hint(message: String, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{message} ({hint})"),
        None => message,
    }
}

pub(super) fn interrupted() -> RunItemEnd {
    RunItemEnd::new(RunItemState::Interrupted, LOST)
}

fn of_command(end: &CommandEnd) -> RunItemEnd {
    let (state, note) = if end.timed_out {
        let seconds = end.duration_ms.saturating_add(500) / 1000;
        let note = format!("did not end in time and was stopped after {seconds} s");
        (RunItemState::TimedOut, note)
    } else if let Some(signal) = end.signal {
        (RunItemState::Failed, format!("killed by signal {signal}"))
    } else {
        match end.exit_code {
            Some(0) => (RunItemState::Done, String::new()),
            Some(code) => (RunItemState::Failed, format!("ended with status {code}")),
            None => (RunItemState::Failed, "ended in an unknown way".to_owned()),
        }
    };
    RunItemEnd {
        state,
        exit_code: end.exit_code.map(i64::from),
        signal: end.signal.map(i64::from),
        dropped_bytes: i64::try_from(end.dropped_bytes).unwrap_or(i64::MAX),
        note,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commands_end_is_told_as_it_was() {
        let end = |exit_code, signal, timed_out| {
            let end = of_command(&CommandEnd {
                exit_code,
                signal,
                timed_out,
                duration_ms: 1500,
                dropped_bytes: 7,
                ..CommandEnd::default()
            });
            assert_eq!(end.dropped_bytes, 7);
            (end.state, end.note)
        };
        let (done, failed, late) = (
            RunItemState::Done,
            RunItemState::Failed,
            RunItemState::TimedOut,
        );
        assert_eq!(end(Some(0), None, false), (done, String::new()));
        assert_eq!(
            end(Some(3), None, false),
            (failed, "ended with status 3".to_owned())
        );
        assert_eq!(
            end(None, Some(9), false),
            (failed, "killed by signal 9".to_owned())
        );
        // A command that ends with 0 because it was told to end was not done.
        let told = "did not end in time and was stopped after 2 s".to_owned();
        assert_eq!(end(Some(0), None, true), (late, told.clone()));
        assert_eq!(end(None, Some(15), true), (late, told));
        assert_eq!(
            of_job(None).map(|end| end.state),
            Some(RunItemState::Interrupted)
        );
    }
}
