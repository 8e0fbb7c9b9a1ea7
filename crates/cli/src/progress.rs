//! Showing a job while it runs.

use crate::{Exit, Failure, Printer, table::plain};
use futures_util::{Stream, StreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use pressroom_base::Timestamp;
use pressroom_fleet::views::{Job, JobUpdate};
use std::time::Duration;

/// How long a job may wait before it is said what it waits for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows updates until the job is final, and ends as the job ended.
pub async fn follow(
    updates: impl Stream<Item = JobUpdate>,
    printer: &mut Printer,
    clock: impl Fn() -> Timestamp,
) -> Result<Exit, Failure> {
    let mut updates = std::pin::pin!(updates);
    let bar = printer.live().then(bar);
    let mut last: Option<Job> = None;
    let mut told = false;
    loop {
        let queued = last.as_ref().is_none_or(|job| job.state == "queued");
        let next = updates.next();
        let update = if queued && !told {
            let Ok(update) = tokio::time::timeout(PATIENCE, next).await else {
                told = true;
                printer.note(
                    "the job waits for a worker; it begins once `pressroom serve` runs, \
                     whether or not this command waits for it",
                );
                continue;
            };
            update
        } else {
            next.await
        };
        let Some(update) = update else { break };
        if printer.json() {
            printer.json_line(&update);
        }
        match update {
            JobUpdate::Output { text, .. } => {
                for line in text.lines() {
                    say(printer, bar.as_ref(), &clock, &format!("  {}", plain(line)));
                }
            }
            JobUpdate::State(job) => {
                if let Some(bar) = &bar {
                    bar.set_position(u64::try_from(job.progress).unwrap_or(0));
                    bar.set_message(plain(&job.message));
                }
                if news(last.as_ref(), &job) {
                    say(printer, bar.as_ref(), &clock, &summary(&job));
                }
                last = Some(*job);
            }
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    match last {
        Some(job) if job.is_final() => outcome(&job),
        _ => Err(Failure::new(
            pressroom_base::Kind::Unreachable,
            "the job's output ended before the job did",
        )),
    }
}

/// How the ending of a job ends the command that waited for it.
pub fn outcome(job: &Job) -> Result<Exit, Failure> {
    if job.state == "completed" {
        return Ok(Exit::Done);
    }
    let how = match job.state.as_str() {
        "failed" => "failed",
        "cancelled" => "was cancelled",
        "dead" => "was given up",
        _ => "has not ended",
    };
    let ending = format!("job `{}` {how}", job.public_id);
    let failure = match &job.error {
        Some(error) => {
            let failure = Failure::new(error.kind, format!("{ending}: {}", plain(&error.message)));
            match &error.hint {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        }
        None => Failure::new(pressroom_base::Kind::Remote, ending),
    };
    // The command itself worked; the operation did not, whatever the reason was.
    Err(failure.exiting(Exit::Failed))
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(100);
    let style = ProgressStyle::with_template("{spinner} {bar:24} {percent:>3}% {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

fn say(
    printer: &mut Printer,
    bar: Option<&ProgressBar>,
    clock: &impl Fn() -> Timestamp,
    text: &str,
) {
    if printer.json() {
        return;
    }
    let now = clock().to_rfc3339();
    let line = format!("{} {text}", now.get(11..19).unwrap_or_default());
    match bar {
        Some(bar) => bar.suspend(|| printer.line(&line)),
        None => printer.line(&line),
    }
}

fn news(before: Option<&Job>, now: &Job) -> bool {
    before.is_none_or(|before| {
        before.state != now.state || before.step != now.step || before.message != now.message
    })
}

fn summary(job: &Job) -> String {
    let what = if job.is_final() || job.step.is_empty() {
        &job.state
    } else {
        &job.step
    };
    // What a failed job was last busy with is no news: its error follows.
    let message = if job.error.is_some() {
        ""
    } else {
        &job.message
    };
    let text = plain(&format!("{what} {message}"));
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use insta::assert_snapshot;
    use pressroom_base::{Kind, id::JobId};
    use pressroom_fleet::views::JobError;

    fn job(state: &str, step: &str, message: &str, progress: i32) -> Job {
        Job {
            id: JobId::new(1),
            public_id: "job_1x9qkd03mz7e".into(),
            kind: "site_install".into(),
            environment_id: None,
            panel_id: None,
            domain: None,
            account_id: None,
            state: state.into(),
            progress,
            step: step.into(),
            message: message.into(),
            steps: Vec::new(),
            result: None,
            error: None,
            requested_by: None,
            created_at: Timestamp::from_millis(0),
            started_at: None,
            finished_at: None,
            keeps_secret: false,
        }
    }

    fn state(job: Job) -> JobUpdate {
        JobUpdate::State(Box::new(job))
    }

    fn noon() -> Timestamp {
        Timestamp::from_millis(12 * 3_600_000 + 1000)
    }

    #[tokio::test]
    async fn plain_lines_in_a_pipe() {
        let (mut printer, captured) = Printer::captured(None);
        let updates = stream::iter([
            state(job("queued", "", "", 0)),
            state(job("running", "download", "WordPress 6.5", 5)),
            state(job("running", "download", "WordPress 6.5", 9)),
            JobUpdate::Output {
                seq: 1,
                text: "15 MB\nhash \u{1b}[2Jok\n".into(),
            },
            state(job("completed", "verify", "it answers", 100)),
        ]);
        let exit = follow(updates, &mut printer, noon)
            .await
            .expect("completed");
        assert_eq!(exit, Exit::Done);
        assert_snapshot!(captured.out(), @r"
        12:00:01 queued
        12:00:01 download WordPress 6.5
        12:00:01   15 MB
        12:00:01   hash  [2Jok
        12:00:01 completed it answers
        ");
        assert_eq!(captured.err(), "");
    }

    #[tokio::test]
    async fn ends_as_the_job_ended() {
        let (mut printer, _captured) = Printer::captured(None);
        let mut failed = job("failed", "verify", "", 80);
        failed.error = Some(JobError {
            kind: Kind::Conflict,
            code: None,
            message: "every page is fatal".into(),
            hint: Some("the old version is back".into()),
        });
        let failure = follow(stream::iter([state(failed)]), &mut printer, noon).await;
        let failure = failure.expect_err("it failed");
        assert_eq!(failure.exit(), Exit::Failed);
        assert_snapshot!(failure.to_text(), @r"
        error: job `job_1x9qkd03mz7e` failed: every page is fatal

        hint: the old version is back
        ");
        for ending in ["cancelled", "dead"] {
            let failure = outcome(&job(ending, "", "", 0)).expect_err("not completed");
            assert_eq!(failure.exit(), Exit::Failed);
        }
        let cut = follow(
            stream::iter([state(job("running", "x", "", 1))]),
            &mut printer,
            noon,
        );
        assert!(cut.await.is_err());
    }

    #[tokio::test]
    async fn one_json_value_a_line() {
        let (mut printer, captured) = Printer::captured(None);
        printer.set_json(true);
        let updates = stream::iter([
            JobUpdate::Output {
                seq: 1,
                text: "x\n".into(),
            },
            state(job("completed", "", "", 100)),
        ]);
        assert!(follow(updates, &mut printer, noon).await.is_ok());
        let lines: Vec<serde_json::Value> = captured
            .out()
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines[0]["event"], "output");
        assert_eq!(lines[1]["state"], "completed");
    }
}
