//! `pressroom run show`

use super::{follow, parse_id};
use crate::{
    Exit, Failure, Printer,
    table::{Table, plain},
};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    runs::{Channel, RunItem},
};
use std::io::Write as _;

const PAGE: u64 = 200;

/// Shows how each site of a run ended, or what one of them printed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom run show run_1x9qkd03mz7e
  pressroom run show run_1x9qkd03mz7e --site shop.example
  pressroom --json run show run_1x9qkd03mz7e")]
pub struct Show {
    /// The run, `run_…`
    #[arg(value_parser = parse_id)]
    pub id: String,
    /// What this site printed, as it was; by the label of its results or its id (`wp_…`)
    #[arg(long)]
    pub site: Option<String>,
}

impl Show {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let run = fleet.find_run(caller, &self.id).await?;
        let mut items: Vec<RunItem> = Vec::new();
        loop {
            let page = fleet
                .run_items(caller, &self.id, items.len() as u64, PAGE)
                .await?;
            let last = (page.len() as u64) < PAGE;
            items.extend(page);
            if last {
                break;
            }
        }
        if let Some(site) = &self.site {
            let item = items
                .into_iter()
                .find(|item| item.label == *site || item.site == *site)
                .ok_or_else(|| {
                    Failure::new(
                        pressroom_base::Kind::NotFound,
                        format!("`{site}` is not among the sites of `{}`", run.id),
                    )
                })?;
            return output(fleet, caller, &self.id, &item, printer).await;
        }
        if printer.json() {
            let mut value = serde_json::to_value(&run).unwrap_or_default();
            value["sites"] = serde_json::to_value(&items).unwrap_or_default();
            printer.json_line(&value);
            return Ok(Exit::Done);
        }
        let mut table =
            Table::new(&["site", "id", "state", "status", "note"]).cut_except(&[0, 1, 2]);
        for item in &items {
            table.row([
                item.label.clone(),
                item.site.clone(),
                item.state.clone(),
                item.exit_code
                    .map_or_else(String::new, |code| code.to_string()),
                item.note.clone(),
            ]);
        }
        printer.many(&items, &table);
        printer.note(&format!(
            "{} ({}): {}",
            plain(&run.operation.summary()),
            run.state,
            follow::summary(&run)
        ));
        Ok(Exit::Done)
    }
}

/// What one site printed, byte for byte where nobody's terminal is in between.
async fn output(
    fleet: &Fleet,
    caller: &Caller,
    run: &str,
    item: &RunItem,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut after = 0;
    loop {
        let pieces = fleet.run_output(caller, run, item.ordinal, after).await?;
        let Some(last) = pieces.last() else { break };
        after = last.seq;
        for piece in pieces {
            let of = match piece.channel {
                Channel::Stdout => &mut stdout,
                Channel::Stderr => &mut stderr,
            };
            // Memory holds it: what is kept of one site is bounded.
            let _ = of.write_all(&piece.bytes);
        }
    }
    if printer.json() {
        printer.json_line(&follow::as_json(item, &stdout, &stderr));
    } else {
        printer.bytes(&stdout);
        printer.complaint_bytes(&stderr);
    }
    Ok(Exit::Done)
}
