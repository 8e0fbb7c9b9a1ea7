//! `pressroom pipeline show`

use super::parse_id;
use crate::{
    Exit, Failure, Printer,
    table::{Table, plain},
};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{
    Caller, Fleet,
    pipelines::{PipelineDetails, Target},
};

/// Shows one safe update: its plan, its stages, and what it found.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom pipeline show pipe_0a1b2c3d4e5f6g7h8i9j
  pressroom --json pipeline show pipe_0a1b2c3d4e5f6g7h8i9j")]
pub struct Show {
    /// Its id (`pipe_…`)
    #[arg(value_parser = parse_id)]
    pub id: ShortId,
}

impl Show {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let found = fleet.find_pipeline(caller, &self.id).await?;
        show(&found, printer);
        Ok(Exit::Done)
    }
}

pub(super) fn show(found: &PipelineDetails, printer: &mut Printer) {
    if printer.json() {
        printer.json_line(found);
        return;
    }
    let one = &found.pipeline;
    let why = one.error.as_deref().map(|why| format!(": {}", plain(why)));
    printer.line(&format!(
        "pipe_{} of {} ({}) is {}{}",
        one.id,
        plain(&one.site),
        one.url,
        one.status,
        why.unwrap_or_default()
    ));
    let mut stages = Table::new(&["stage", "status", "what"]).cut_except(&[0, 1]);
    for stage in &one.stages {
        stages.row([
            stage.name.as_str().to_owned(),
            stage.status.as_str().to_owned(),
            plain(stage.message.as_deref().unwrap_or_default()),
        ]);
    }
    printer.data(&stages.render(printer.width()));
    let targets = targets(&one.targets);
    printer.data(&targets.render(printer.width()));
    if !found.findings.is_empty() {
        let mut table = Table::new(&["found", "in", "blamed on", "what"]).cut_except(&[0, 1, 2]);
        for finding in &found.findings {
            table.row([
                finding.severity.clone(),
                finding.stage.clone(),
                finding.target.clone().unwrap_or_default(),
                plain(&finding.message),
            ]);
        }
        printer.data(&table.render(printer.width()));
    }
}

/// What is updated from where to where, and what became of it.
pub(super) fn targets(targets: &[Target]) -> Table {
    let mut table = Table::new(&["target", "from", "to", "status", "what"]).cut_except(&[0, 3]);
    for target in targets {
        table.row([
            target.label(),
            target.from_version.clone().unwrap_or_default(),
            target.to_version.clone().unwrap_or_default(),
            target.status.to_string(),
            plain(target.error.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
