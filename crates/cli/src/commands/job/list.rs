//! `pressroom job list`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, jobs::JobFilter, views::Job};

/// Lists jobs, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom job list
  pressroom job list --state running
  pressroom --json job list --limit 10")]
pub struct List {
    /// Only jobs in this state
    #[arg(long, value_parser = ["queued", "running", "completed", "failed", "cancelled", "dead"])]
    pub state: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub limit: u64,
}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let filter = JobFilter {
            environment: None,
            state: self.state,
            limit: self.limit,
        };
        show(
            &fleet.list_jobs(caller, &filter).await?,
            Timestamp::now(),
            printer,
        );
        Ok(Exit::Done)
    }
}

fn show(jobs: &[Job], now: Timestamp, printer: &mut Printer) {
    let mut table = Table::new(&["id", "kind", "site", "state", "%", "age", "message"])
        .cut_except(&[0, 3, 4, 5]);
    for job in jobs {
        let message = match &job.error {
            Some(error) => &error.message,
            None => &job.message,
        };
        table.row([
            job.public_id.clone(),
            job.kind.clone(),
            job.domain.clone().unwrap_or_default(),
            job.state.clone(),
            job.progress.to_string(),
            if printer.width().is_some() {
                age(job.created_at, now)
            } else {
                job.created_at.to_rfc3339()
            },
            message.clone(),
        ]);
    }
    printer.many(&jobs, &table);
}

/// How long ago, in the largest unit that counts: an instant would take half a
/// terminal's line.
fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = (now.millis() - at.millis()).max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use pressroom_base::id::JobId;

    fn job(number: i64, kind: &str, message: &str) -> Job {
        Job {
            id: JobId::new(number),
            public_id: format!("job_1x9qkd03mz{number:02}"),
            kind: kind.into(),
            environment_id: None,
            panel_id: None,
            domain: Some("a-long-name.press.example".into()),
            account_id: None,
            state: "completed".into(),
            progress: 100,
            step: String::new(),
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

    #[test]
    fn one_line_a_job_and_whole_in_a_pipe() {
        let message = "https://a-long-name.press.example answers with status 200";
        let jobs = [job(1, "component_update", message), job(2, "site_move", "")];
        let now = Timestamp::from_millis(3 * 3_600_000);
        let (mut printer, captured) = Printer::captured(Some(80));
        show(&jobs, now, &mut printer);
        assert_snapshot!(captured.out(), @r"
         id                 kind         site         state       %     age   message
        ────────────────────────────────────────────────────────────────────────────────
         job_1x9qkd03mz01   component…   a-long-na…   completed   100   3 h   https://…
         job_1x9qkd03mz02   site_move    a-long-na…   completed   100   3 h
        ");
        let (mut printer, captured) = Printer::captured(None);
        show(&jobs, now, &mut printer);
        let line = captured.out();
        let first = line.lines().next().expect("a line");
        assert!(first.ends_with(message) && first.contains("\t1970-01-01T00:00:00"));
        assert_eq!(age(now, now), "0 s");
        assert_eq!(
            age(
                Timestamp::from_millis(0),
                Timestamp::from_millis(200_000_000)
            ),
            "2 d"
        );
    }
}
