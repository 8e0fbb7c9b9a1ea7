//! The environments that a run is about.

use super::Operation;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Resource, authorize},
    views::Environment,
};
use pressroom_base::{Kind, id::EnvironmentId};
use pressroom_store::{EnvironmentFilter, NewRunItem, Page, environments};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// One environment that a run is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Its id, `wp_…`.
    pub site: String,
    /// What its results are labelled with: its address without the scheme.
    pub label: String,
    /// The account it belongs to.
    pub account: String,
    /// `active`, `broken`, …
    pub state: String,
}

/// What a selector means for an operation.
#[derive(Debug, Clone)]
pub struct Targets {
    /// The environments, in the order of the results.
    pub targets: Vec<Target>,
    /// How many others there are of which too little is known to tell.
    pub undecided: usize,
    /// What may be wrong with the selector although it is understood.
    pub hint: Option<String>,
    pub(super) places: Vec<NewRunItem>,
}

impl Fleet {
    /// The environments that an operation would be done on; nothing is begun.
    ///
    /// Errors: `Invalid` (the selector, the operation), `Forbidden` when there is one among
    /// them on which the caller may not do it.
    pub async fn run_targets(
        &self,
        caller: &Caller,
        selector: &str,
        operation: &Operation,
    ) -> Result<Targets> {
        operation.check()?;
        let selected = self.select_sites(caller, selector).await?;
        let found = selected.environments;
        let mut targets = self.permitted_targets(caller, operation, found).await?;
        targets.undecided = selected.undecided;
        targets.hint = selected.hint;
        Ok(targets)
    }

    /// Refuses all when the caller may not do it on one of them: nobody should have to find
    /// out from the results what was left out.
    pub(super) async fn permitted_targets(
        &self,
        caller: &Caller,
        operation: &Operation,
        found: Vec<Environment>,
    ) -> Result<Targets> {
        let mut forbidden = BTreeSet::new();
        for site in &found {
            let owner = Resource::OfAccount(site.account_id);
            match authorize(&caller.principal, operation.action(), owner) {
                Ok(()) => {}
                Err(error) if error.kind() == Kind::Forbidden && error.code().is_none() => {
                    forbidden.insert(site.account_name.clone());
                }
                Err(error) => return Err(error),
            }
        }
        if !forbidden.is_empty() {
            let names: Vec<String> = forbidden.iter().map(|name| format!("`{name}`")).collect();
            return Err(Error::new(
                Kind::Forbidden,
                format!("you may not do that on sites of {}", names.join(", ")),
            )
            .with_hint("narrow the selector, as with `account:NAME`"));
        }
        let scope = caller.principal.scope();
        let filter = EnvironmentFilter::default();
        let rows = environments::list(&self.parts.store, &scope, &filter, Page::ALL).await?;
        let hosts: HashMap<EnvironmentId, _> =
            rows.into_iter().map(|row| (row.id, row.host_id)).collect();
        let labels = labels(&found);
        let mut targets = Vec::with_capacity(found.len());
        let mut places = Vec::with_capacity(found.len());
        for (site, label) in found.into_iter().zip(labels) {
            // Removed just now.
            let Some(host) = hosts.get(&site.id) else {
                continue;
            };
            places.push(NewRunItem {
                environment: site.id,
                account: site.account_id,
                host: *host,
                panel_id: site.panel_id.clone(),
                label: label.clone(),
            });
            targets.push(Target {
                site: site.panel_id,
                label,
                account: site.account_name,
                state: site.state,
            });
        }
        Ok(Targets {
            targets,
            undecided: 0,
            hint: None,
            places,
        })
    }
}

/// The address without its scheme, and the id where two have the same.
fn labels(sites: &[Environment]) -> Vec<String> {
    let plain = |site: &Environment| {
        let address = site.url.split_once("://").map_or("", |(_, rest)| rest);
        match address.trim_end_matches('/') {
            "" => site.panel_id.clone(),
            address => address.to_owned(),
        }
    };
    let mut seen: HashMap<String, usize> = HashMap::new();
    for site in sites {
        *seen.entry(plain(site)).or_default() += 1;
    }
    sites
        .iter()
        .map(|site| {
            let label = plain(site);
            if seen.get(&label).is_some_and(|times| *times > 1) {
                format!("{label} ({})", site.panel_id)
            } else {
                label
            }
        })
        .collect()
}
