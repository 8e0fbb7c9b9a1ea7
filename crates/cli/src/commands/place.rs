//! One site, or all that a selector names: then what is done is a run.

use crate::{
    Exit, Failure, Printer,
    commands::{
        run::{Signals, follow},
        selector,
    },
};
use clap::Args;
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
    let run = fleet.start_run(caller, new).await.map_err(refused)?;
    follow(fleet, caller, &run, signals, printer).await
}
