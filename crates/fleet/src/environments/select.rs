//! The environments that a selector names.

use super::view::Names;
use crate::{
    Caller, Fleet, Result,
    authorize::{Action, authorize_list},
    selector::{Facts, Rows, Selector, Term, Truth},
    views::Environment,
};
use pressroom_base::{Timestamp, id::EnvironmentId};
use pressroom_store::{
    ComponentVersion, EnvironmentFilter, EnvironmentRow, Page, Scope, components, environments,
    snapshots,
};
use std::collections::HashMap;

/// What a selector found.
#[derive(Debug, Clone)]
pub struct Selected {
    /// The environments for which it holds, by domain, then path.
    pub environments: Vec<Environment>,
    /// How many others there are of which too little is known to tell.
    pub undecided: usize,
}

impl Fleet {
    /// The environments of the caller's accounts that a selector names, in the shape and
    /// order of [`Fleet::list_environments`]; `Invalid` when it is not understood. Facts
    /// are those recorded, and old ones are refreshed behind the answer.
    pub async fn select_sites(&self, caller: &Caller, selector: &str) -> Result<Selected> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let selector: Selector = selector.parse()?;
        let scope = caller.principal.scope();
        let store = &self.parts.store;
        let filter = EnvironmentFilter::default();
        let rows = environments::list(store, &scope, &filter, Page::ALL).await?;
        self.refresh_stale_behind(&rows);
        let names = self.names(&scope).await?;
        let known = self.known(&selector, &scope).await?;
        let components = known.components();
        let now = Timestamp::now();
        let mut undecided = 0;
        let mut found = Vec::new();
        for row in rows {
            let components = components.get(&row.id).copied().unwrap_or_default();
            // Without its site it was removed just now.
            let Some(facts) = known.facts(&names, &row, components) else {
                continue;
            };
            match selector.matches(&facts, now) {
                Truth::Yes => found.push(row),
                Truth::Unknown => undecided += 1,
                Truth::No => {}
            }
        }
        names.sort(&mut found);
        Ok(Selected {
            environments: self.views(&names, found).await?,
            undecided,
        })
    }

    /// Looks up what the selector asks, each in one statement for all environments, and
    /// leaves out what it does not ask: components are many times as many as sites.
    async fn known(&self, selector: &Selector, scope: &Scope) -> Result<Known> {
        let store = &self.parts.store;
        let of_components =
            |term: &Term| matches!(term, Term::Component { .. } | Term::Updates { .. });
        let of_snapshots = |term: &Term| matches!(term, Term::Snapshot { .. });
        Ok(Known {
            components: if selector.asks(of_components) {
                components::versions(store, scope).await?
            } else {
                Vec::new()
            },
            snapshots: if selector.asks(of_snapshots) {
                snapshots::newest_whole(store, scope).await?
            } else {
                HashMap::new()
            },
        })
    }
}

/// What is known of all environments beside their names.
struct Known {
    /// By environment.
    components: Vec<ComponentVersion>,
    snapshots: HashMap<EnvironmentId, Timestamp>,
}

impl Known {
    fn components(&self) -> HashMap<EnvironmentId, &[ComponentVersion]> {
        self.components
            .chunk_by(|a, b| a.environment_id == b.environment_id)
            .filter_map(|of_one| Some((of_one.first()?.environment_id, of_one)))
            .collect()
    }

    fn facts(
        &self,
        names: &Names,
        environment: &EnvironmentRow,
        components: &[ComponentVersion],
    ) -> Option<Facts> {
        let domain = environment.domain_id;
        let host = environment.host_id;
        Some(Facts::of(Rows {
            environment,
            account: names.accounts.get(&environment.account_id)?,
            site: names.sites.get(&environment.site_id)?,
            domain: domain.and_then(|id| names.domains.get(&id)),
            host: host.and_then(|id| names.hosts.get(&id)),
            components,
            snapshot: self.snapshots.get(&environment.id).copied(),
        }))
    }
}
