//! `pressroom run --on SELECTOR -- COMMAND`

use super::follow::{Signals, follow};
use crate::{Exit, Failure, Printer, commands::selector, table::Table};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    runs::{Bounds, Command, NewRun, Operation, Targets},
};
use std::time::Duration;

/// What to run, and where.
#[derive(Debug, Args)]
pub struct On {
    /// Which sites, such as `env:production php<8.1`, quoted; docs/selectors.md tells all of it
    #[arg(
        long,
        value_name = "SELECTOR",
        required = true,
        allow_hyphen_values = true
    )]
    pub on: Option<String>,
    /// Sites at the same time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Sites at the same time on one host
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub per_host: u16,
    /// How long the command may take on one site: `90s`, `5m`; at most 55m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub timeout: Duration,
    /// How long a site that something else writes to is waited for
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub wait: Duration,
    /// The command changes nothing, and may run beside what does
    #[arg(long)]
    pub read_only: bool,
    /// Only list the sites
    #[arg(long)]
    pub dry_run: bool,
    /// The program and its arguments; no shell reads them, say `sh -c '…'` where one is to
    #[arg(last = true, value_name = "COMMAND", required = true)]
    pub command: Vec<String>,
}

impl On {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let text = self.on.unwrap_or_default();
        let operation = Operation::Command(Command {
            argv: self.command,
            limit_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
            read_only: self.read_only,
        });
        let refused = |error| selector::refusal(&text, error);
        if self.dry_run {
            let targets = fleet.run_targets(caller, &text, &operation).await;
            return Ok(show(&targets.map_err(refused)?, printer));
        }
        // Heard from before anything is begun.
        let signals = Signals::listen()?;
        let new = NewRun {
            selector: text.clone(),
            operation,
            bounds: Bounds {
                at_once: self.jobs,
                per_host: self.per_host,
                wait: self.wait,
            },
        };
        let started = fleet.start_run(caller, new).await.map_err(refused)?;
        selector::doubts(started.undecided, started.hint.as_deref(), printer);
        follow(fleet, caller, &started.run, signals, printer).await
    }
}

/// Lists what would be done where.
fn show(targets: &Targets, printer: &mut Printer) -> Exit {
    let mut table = Table::new(&["id", "site", "state", "account"]);
    for target in &targets.targets {
        table.row([
            target.site.clone(),
            target.label.clone(),
            target.state.clone(),
            target.account.clone(),
        ]);
    }
    printer.many(&targets.targets, &table);
    selector::doubts(targets.undecided, targets.hint.as_deref(), printer);
    if targets.targets.is_empty() {
        printer.note("the selector names no site");
        return Exit::NotFound;
    }
    Exit::Done
}

/// A number of seconds, or one with `ms`, `s`, `m` or `h` behind it.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "ms" => 1,
        "s" | "" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("a time is a whole number with `ms`, `s`, `m` or `h`".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "a time is a whole number with `ms`, `s`, `m` or `h`".to_owned())?;
    number
        .checked_mul(factor)
        .map(Duration::from_millis)
        .ok_or_else(|| "that is longer than anybody waits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cli, Command as Line, commands::FleetCommand, commands::run::Run};
    use clap::Parser;

    fn parsed(line: &[&str]) -> Result<Run, clap::Error> {
        let words = ["pressroom", "run"].iter().chain(line);
        match Cli::try_parse_from(words)?.command {
            Line::Fleet(FleetCommand::Run(run)) => Ok(run),
            other => panic!("another command: {other:?}"),
        }
    }

    #[test]
    fn everything_behind_the_dashes_is_the_command() {
        let run = parsed(&[
            "--on",
            "-env:clone",
            "--",
            "wp",
            "--on",
            "--json",
            "--",
            "x",
        ]);
        let run = run.expect("understood");
        assert!(run.verb.is_none());
        assert_eq!(run.on.on.as_deref(), Some("-env:clone"));
        assert_eq!(run.on.command, ["wp", "--on", "--json", "--", "x"]);
        assert_eq!(run.on.timeout, Duration::from_mins(1));
        for missing in [
            &["--on", "all"][..],
            &["--", "ls"],
            &[],
            &["--on", "all", "ls"],
        ] {
            assert!(parsed(missing).is_err(), "{missing:?}");
        }
        for bad in [
            ["--on", "all", "--jobs", "0", "--", "ls"],
            ["--on", "all", "--jobs", "257", "--", "ls"],
            ["--on", "all", "--timeout", "soon", "--", "ls"],
            ["--on", "all", "--timeout", "-3s", "--", "ls"],
        ] {
            assert!(parsed(&bad).is_err(), "{bad:?}");
        }
        assert!(parsed(&["list"]).expect("understood").verb.is_some());
        assert!(parsed(&["cancel", "job_1"]).is_err());
    }

    #[test]
    fn times_have_units() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("5m", 300), ("1h", 3600)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "s", "1.5s", "5d", "99999999999999999999s", "ä"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration("18446744073709551615h").is_err());
    }
}
