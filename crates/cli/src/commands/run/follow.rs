//! A run while it goes on: results in order as soon as they can be told, progress for
//! whoever looks, and one signal that stops it.

use crate::{Exit, Failure, Printer, table::plain};
use indicatif::{ProgressBar, ProgressStyle};
use pressroom_fleet::{
    Caller, Fleet,
    runs::{Channel, Run, RunItem},
};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};

/// Between looks: a twentieth of the time so far, …
const LOOKS: u32 = 20;
/// … and within these bounds.
const SOONEST: Duration = Duration::from_millis(10);
const LATEST: Duration = Duration::from_millis(250);
/// How long one waits for a worker before it is said.
const PATIENCE: Duration = Duration::from_secs(5);
/// Items looked at together.
const PAGE: u64 = 200;

/// Whether somebody listens for signals.
static HEARD: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C is seen to by the command itself.
pub fn minds_interruption() -> bool {
    HEARD.load(Ordering::Relaxed)
}

/// Ctrl-C, and what ends services.
pub(in crate::commands) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(in crate::commands) fn listen() -> Result<Self, Failure> {
        let failed = |error| Failure::local("signals cannot be heard", &error);
        let signals = Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        };
        HEARD.store(true, Ordering::Relaxed);
        Ok(signals)
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Prints a run's results in order until all are there. The first signal stops the run
/// and is followed to its end, the second is not waited for.
pub(in crate::commands) async fn follow(
    fleet: &Fleet,
    caller: &Caller,
    run: &Run,
    mut signals: Signals,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let id = run.id.clone();
    let bar = printer.live().then(|| bar(run.total()));
    let begun = Instant::now();
    let mut told = 0;
    let mut said = false;
    let mut stopped = false;
    loop {
        // The run first: once it is over, every item seen afterwards has ended.
        let run = fleet.find_run(caller, &id).await?;
        let items = fleet.run_items(caller, &id, told, PAGE).await?;
        let mut full = items.len() as u64 == PAGE;
        for item in items {
            if !item.is_final() {
                full = false;
                break;
            }
            told += 1;
            tell(fleet, caller, &id, &item, bar.as_ref(), printer).await?;
        }
        if let Some(bar) = &bar {
            bar.set_position(run.total() - run.left());
            bar.set_message(standing(&run));
        }
        if full {
            continue;
        }
        if run.is_over() {
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
            return Ok(over(&run, stopped, printer));
        }
        if !said && run.state == "waiting" && begun.elapsed() > PATIENCE {
            said = true;
            quietly(bar.as_ref(), || {
                printer.note(&format!(
                    "`{id}` waits for a worker; it begins once `pressroom serve` runs"
                ));
            });
        }
        let pause = (begun.elapsed() / LOOKS).clamp(SOONEST, LATEST);
        tokio::select! {
            () = sleep(pause) => {}
            () = signals.next() => {
                if stopped {
                    return Ok(Exit::Interrupted);
                }
                stopped = true;
                fleet.cancel_run(caller, &id, "interrupted at the command line").await?;
                quietly(bar.as_ref(), || {
                    printer.note("stopping what runs; once more does not wait for it");
                });
            }
        }
    }
}

/// One item: what it printed, each line behind its site, and how it ended if not well.
async fn tell(
    fleet: &Fleet,
    caller: &Caller,
    run: &str,
    item: &RunItem,
    bar: Option<&ProgressBar>,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let mut after = 0;
    let mut lines = Lines::of(item, printer);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        let pieces = fleet.run_output(caller, run, item.ordinal, after).await?;
        let Some(last) = pieces.last() else { break };
        after = last.seq;
        for piece in pieces {
            if printer.json() {
                match piece.channel {
                    Channel::Stdout => stdout.extend_from_slice(&piece.bytes),
                    Channel::Stderr => stderr.extend_from_slice(&piece.bytes),
                }
                continue;
            }
            quietly(bar, || lines.take(piece.channel, &piece.bytes, printer));
        }
    }
    if printer.json() {
        printer.json_line(&as_json(item, &stdout, &stderr));
        return Ok(());
    }
    quietly(bar, || {
        lines.end(printer);
        if item.dropped_bytes > 0 {
            printer.complaint(&format!(
                "{}: {} more bytes were printed than are kept\n",
                plain(&item.label),
                item.dropped_bytes
            ));
        }
        if !item.note.is_empty() {
            let line = format!("{}: {}\n", plain(&item.label), plain(&item.note));
            if item.state == "done" {
                printer.data(&line);
            } else {
                printer.complaint(&line);
            }
        }
    });
    Ok(())
}

pub(super) fn as_json(item: &RunItem, stdout: &[u8], stderr: &[u8]) -> Value {
    let mut value = serde_json::to_value(item).unwrap_or_default();
    value["event"] = json!("item");
    value["stdout"] = json!(String::from_utf8_lossy(stdout));
    value["stderr"] = json!(String::from_utf8_lossy(stderr));
    value
}

/// Labelled lines, put together from pieces.
struct Lines {
    label: String,
    /// Whether standard output and standard error are a terminal's.
    terminals: [bool; 2],
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Lines {
    fn of(item: &RunItem, printer: &Printer) -> Self {
        Self {
            label: plain(&item.label),
            terminals: [printer.width().is_some(), printer.complains_to_terminal()],
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }

    fn take(&mut self, channel: Channel, bytes: &[u8], printer: &mut Printer) {
        let rest = match channel {
            Channel::Stdout => &mut self.stdout,
            Channel::Stderr => &mut self.stderr,
        };
        rest.extend_from_slice(bytes);
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let whole: Vec<u8> = rest.drain(..=end).collect();
        self.print(channel, &whole, printer);
    }

    fn end(&mut self, printer: &mut Printer) {
        for channel in [Channel::Stdout, Channel::Stderr] {
            let rest = match channel {
                Channel::Stdout => std::mem::take(&mut self.stdout),
                Channel::Stderr => std::mem::take(&mut self.stderr),
            };
            if !rest.is_empty() {
                self.print(channel, &rest, printer);
            }
        }
    }

    fn print(&self, channel: Channel, bytes: &[u8], printer: &mut Printer) {
        let terminal = match channel {
            Channel::Stdout => self.terminals[0],
            Channel::Stderr => self.terminals[1],
        };
        let mut text = String::new();
        for line in String::from_utf8_lossy(bytes).lines() {
            text.push_str(&self.label);
            text.push_str(": ");
            if terminal {
                // A site may not move the cursor; columns it may have.
                text.push_str(&plain(&line.replace('\t', "    ")));
            } else {
                text.push_str(line);
            }
            text.push('\n');
        }
        match channel {
            Channel::Stdout => printer.data(&text),
            Channel::Stderr => printer.complaint(&text),
        }
    }
}

/// How a run ended, and with it the command.
fn over(run: &Run, stopped: bool, printer: &mut Printer) -> Exit {
    if printer.json() {
        let mut value = serde_json::to_value(run).unwrap_or_default();
        value["event"] = json!("run");
        printer.json_line(&value);
    } else {
        printer.note(&format!("{}: {}", run.id, summary(run)));
        if !run.is_success() {
            printer.note(&format!(
                "`pressroom run resume {}` does what was not begun, with `--again` all that was not done",
                run.id
            ));
        }
    }
    if stopped {
        Exit::Interrupted
    } else if run.is_success() {
        Exit::Done
    } else {
        Exit::Failed
    }
}

/// `50 sites: 48 done, 1 failed, 1 timed out`.
pub(super) fn summary(run: &Run) -> String {
    let sites = match run.total() {
        1 => "1 site".to_owned(),
        many => format!("{many} sites"),
    };
    format!("{sites}: {}", standing(run))
}

fn standing(run: &Run) -> String {
    const ORDER: [&str; 8] = [
        "done",
        "failed",
        "timed_out",
        "cancelled",
        "interrupted",
        "skipped",
        "running",
        "waiting",
    ];
    let parts: Vec<String> = ORDER
        .into_iter()
        .filter(|state| run.count(state) > 0)
        .map(|state| format!("{} {}", run.count(state), state.replace('_', " ")))
        .collect();
    parts.join(", ")
}

fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = ProgressStyle::with_template("{spinner} {bar:24} {pos}/{len} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Prints without the bar in between.
fn quietly(bar: Option<&ProgressBar>, print: impl FnOnce()) {
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::Timestamp;
    use pressroom_fleet::runs::{Command, Operation};

    fn item() -> RunItem {
        RunItem {
            ordinal: 1,
            site: "wp_2f686f6d6".into(),
            label: "shop.example".into(),
            state: "failed".into(),
            exit_code: Some(3),
            signal: None,
            dropped_bytes: 0,
            note: "ended with status 3".into(),
            started_at: None,
            ended_at: None,
        }
    }

    fn run(items: &[(&str, u64)]) -> Run {
        Run {
            id: "run_1x9qkd03mz7e".into(),
            selector: "all".into(),
            operation: Operation::Command(Command {
                argv: vec!["true".into()],
                limit_ms: 1000,
                read_only: false,
            }),
            actor: "command line".into(),
            state: "ended".into(),
            items: items
                .iter()
                .map(|(state, count)| ((*state).to_owned(), *count))
                .collect(),
            at_once: 1,
            per_host: 1,
            resumes: None,
            created_at: Timestamp::from_millis(0),
            ended_at: Some(Timestamp::from_millis(0)),
        }
    }

    #[test]
    fn lines_are_labelled_however_they_come() {
        for terminal in [false, true] {
            let (mut printer, captured) = Printer::captured(terminal.then_some(200));
            let mut lines = Lines::of(&item(), &printer);
            lines.take(Channel::Stdout, b"one\ntw", &mut printer);
            lines.take(Channel::Stderr, b"oh\x1b]0;x\n", &mut printer);
            lines.take(Channel::Stdout, b"o\x1b[2J\t\xff\n\nend", &mut printer);
            lines.end(&mut printer);
            let second = if terminal {
                "two [2J    \u{fffd}"
            } else {
                "two\u{1b}[2J\t\u{fffd}"
            };
            assert_eq!(
                captured.out(),
                format!(
                    "shop.example: one\nshop.example: {second}\nshop.example: \nshop.example: end\n"
                )
            );
            let escape = if terminal { " " } else { "\u{1b}" };
            assert_eq!(captured.err(), format!("shop.example: oh{escape}]0;x\n"));
        }
    }

    #[test]
    fn it_ends_as_the_run_did() {
        let ended = |items: &[(&str, u64)], stopped| {
            let (mut printer, captured) = Printer::captured(None);
            let exit = over(&run(items), stopped, &mut printer);
            (exit, captured.err())
        };
        let (exit, said) = ended(&[("done", 50)], false);
        assert_eq!(exit, Exit::Done);
        assert_eq!(said, "run_1x9qkd03mz7e: 50 sites: 50 done\n");
        let (exit, said) = ended(&[("timed_out", 1), ("done", 48), ("failed", 1)], false);
        assert_eq!(exit, Exit::Failed);
        assert!(
            said.contains("50 sites: 48 done, 1 failed, 1 timed out\n"),
            "{said}"
        );
        let (exit, _) = ended(&[("done", 1), ("cancelled", 4)], true);
        assert_eq!(exit, Exit::Interrupted);
    }

    #[test]
    fn one_json_value_an_item() {
        let value = as_json(&item(), b"a\xff", b"");
        assert_eq!(value["event"], "item");
        assert_eq!(value["stdout"], "a\u{fffd}");
        assert_eq!(value["exit_code"], 3);
    }
}
