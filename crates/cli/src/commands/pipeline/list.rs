//! `pressroom pipeline list`

use crate::{
    Exit, Failure, Printer,
    commands::selector,
    table::{Table, plain},
};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    pipelines::{Pipeline, PipelineQuery, PipelineState, TargetState},
};

/// Lists safe updates, newest first, of all sites or of some.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom pipeline list
  pressroom pipeline list --status awaiting_approval
  pressroom pipeline list 'tag:shop' --open
  pressroom --json pipeline list --open")]
pub struct List {
    /// Only those of these sites, such as `domain:blog.example`
    #[arg(value_name = "SELECTOR")]
    pub on: Option<String>,
    /// Only those that are not over
    #[arg(long)]
    pub open: bool,
    /// Only those that are so, such as `awaiting_approval`
    #[arg(long, value_name = "STATUS", value_parser = status)]
    pub status: Option<PipelineState>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub limit: u64,
}

impl List {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let sites = match &self.on {
            None => None,
            Some(on) => {
                let refused = |error| selector::refusal(on, error);
                let selected = fleet.select_sites(caller, on).await.map_err(refused)?;
                selector::doubts(selected.undecided, selected.hint.as_deref(), printer);
                if selected.environments.is_empty() {
                    printer.note("the selector names no site");
                    return Ok(Exit::NotFound);
                }
                Some(selected.environments.iter().map(|it| it.site_id).collect())
            }
        };
        let query = PipelineQuery {
            sites,
            status: self.status,
            open: self.open,
        };
        let (found, total) = fleet.list_pipelines(caller, query, self.limit, 0).await?;
        show(&found, printer);
        if total > found.len() as u64 {
            printer.note(&format!("{} of {total} pipelines", found.len()));
        }
        Ok(Exit::Done)
    }
}

fn status(text: &str) -> Result<PipelineState, String> {
    PipelineState::parse(text).ok_or_else(|| {
        let known: Vec<_> = PipelineState::ALL.iter().map(|it| it.as_str()).collect();
        format!("one of {}", known.join(", "))
    })
}

fn show(found: &[Pipeline], printer: &mut Printer) {
    let mut table = Table::new(&["id", "site", "status", "updated", "of", "created", "what"])
        .cut_except(&[0, 1, 2]);
    for one in found {
        table.row([
            format!("pipe_{}", one.id),
            plain(&one.site),
            one.status.to_string(),
            one.count(TargetState::Updated).to_string(),
            one.targets.len().to_string(),
            one.created_at.to_rfc3339(),
            plain(one.error.as_deref().unwrap_or_default()),
        ]);
    }
    printer.many(&found, &table);
}
