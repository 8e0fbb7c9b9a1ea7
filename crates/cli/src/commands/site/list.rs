//! `pressroom site list`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, environments::EnvironmentFilter, views::Environment};

/// Lists sites, all or those that match.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site list
  pressroom site list agency
  pressroom --json site list blog")]
pub struct List {
    /// Words that the domain, title or account must contain
    pub text: Option<String>,
}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let filter = EnvironmentFilter {
            text: self.text.unwrap_or_default(),
            ..EnvironmentFilter::default()
        };
        show(&fleet.list_environments(caller, &filter).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(sites: &[Environment], printer: &mut Printer) {
    let mut table = Table::new(&[
        "id",
        "domain",
        "state",
        "WordPress",
        "updates",
        "account",
        "address",
    ]);
    for site in sites {
        table.row([
            site.panel_id.clone(),
            site.domain.clone(),
            site.state.clone(),
            site.core_version.clone(),
            updates(site).to_string(),
            site.account_name.clone(),
            site.url.clone(),
        ]);
    }
    printer.many(&sites, &table);
}

/// How many components have a newer version.
pub(super) fn updates(site: &Environment) -> usize {
    let newer = |version: &Option<String>| version.is_some();
    site.components
        .iter()
        .filter(|part| newer(&part.new_version))
        .count()
}
