//! One site, or all that a selector names: then what is done is a run.

use super::{
    run::{self, Signals},
    selector,
    site::find,
};
use crate::{Exit, Failure, Printer, progress};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{
    Caller, Fleet,
    runs::{Bounds, NewRun, Operation},
};

/// Where something is done.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Place {
    /// The site's id (`wp_…`) or domain
    pub site: Option<String>,
    /// Instead all sites that this selector names, as one run; docs/run.md tells more
    #[arg(long, value_name = "SELECTOR", allow_hyphen_values = true)]
    pub on: Option<String>,
}

/// The same before other words, of which the first is the site.
#[derive(Debug, Args)]
pub struct Elsewhere {
    /// Instead all sites that this selector names, as one run, and no site; docs/run.md tells
    /// more
    #[arg(long, value_name = "SELECTOR", allow_hyphen_values = true)]
    pub on: Option<String>,
}

impl Place {
    /// Does something there and shows it.
    pub(super) async fn carry_out(
        self,
        operation: Operation,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        if let Some(selector) = &self.on {
            return everywhere(selector, operation, fleet, caller, printer).await;
        }
        let site = self.site.unwrap_or_default();
        let site = find(&site, operation.action(), fleet, caller).await?;
        let job = fleet.begin_operation(caller, site.id, operation).await?;
        let updates = fleet.watch_job(caller, job.id, 0).await?;
        progress::follow(updates, printer, Timestamp::now).await
    }
}

impl Elsewhere {
    /// The place, and the words that do not name it.
    pub(super) fn among(self, site: Option<String>, words: Vec<String>) -> (Place, Vec<String>) {
        let Some(selector) = self.on else {
            let place = Place { site, on: None };
            return (place, words);
        };
        let place = Place {
            site: None,
            on: Some(selector),
        };
        (place, site.into_iter().chain(words).collect())
    }
}

/// Does something on all sites that a selector names.
pub(super) async fn everywhere(
    text: &str,
    operation: Operation,
    fleet: &Fleet,
    caller: &Caller,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let signals = Signals::listen()?;
    let new = NewRun {
        selector: text.to_owned(),
        operation,
        bounds: Bounds::default(),
    };
    let refused = |error| selector::refusal(text, error);
    let started = fleet.start_run(caller, new).await.map_err(refused)?;
    selector::doubts(started.undecided, started.hint.as_deref(), printer);
    run::follow(fleet, caller, &started.run, signals, printer).await
}
