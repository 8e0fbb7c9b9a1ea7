//! `pressroom run …`

mod cancel;
mod follow;
mod list;
mod on;
mod resume;
mod show;

pub use cancel::Cancel;
pub use follow::minds_interruption;
pub(in crate::commands) use follow::{Signals, follow};
pub use list::List;
pub use on::On;
pub use resume::Resume;
pub use show::Show;

use crate::{Exit, Failure, Printer};
use clap::{Args, Subcommand};
use pressroom_fleet::{Caller, Fleet};

/// Runs one command on many sites, a few at a time, as each site's own user in the
/// directory of its WordPress. The results come in the order of `site list`, each line
/// behind its site's address. A command that changes something has its site to itself; one
/// bad site never keeps the others waiting, and each ends in a final state.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  pressroom run --on 'env:production php<8.1' -- wp core version
  pressroom run --on account:acme --jobs 4 --timeout 5m -- sh -c 'du -sh . && df -h .'
  pressroom run --on all --read-only --dry-run -- ls
  pressroom run list
  pressroom run resume run_1x9qkd03mz7e"
)]
pub struct Run {
    /// What there is beside starting one
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// What to start
    #[command(flatten)]
    pub on: On,
}

/// What there is beside starting a run.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List runs, newest first
    List(List),
    /// Show how each site of a run ended, and what it printed
    Show(Show),
    /// Follow a run that goes on, or do what one that is over left undone
    Resume(Resume),
    /// Stop a run: what waits never begins, what runs is stopped
    Cancel(Cancel),
}

impl Run {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        match self.verb {
            None => self.on.run(fleet, caller, printer).await,
            Some(Verb::List(list)) => list.run(fleet, caller, printer).await,
            Some(Verb::Show(show)) => show.run(fleet, caller, printer).await,
            Some(Verb::Resume(resume)) => resume.run(fleet, caller, printer).await,
            Some(Verb::Cancel(cancel)) => cancel.run(fleet, caller, printer).await,
        }
    }
}

/// Reads a run's name.
fn parse_id(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("run_").unwrap_or_default();
    if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(text.to_owned())
    } else {
        Err("a run is named by `run_…`; `pressroom run list` lists them".to_owned())
    }
}
