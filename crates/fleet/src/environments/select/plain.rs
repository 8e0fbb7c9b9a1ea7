//! The plain way to an answer: read what is asked, of everybody, and look at each. A
//! process that asks once is served by it sooner than by a picture, and what a picture
//! answers is held against it.

use super::super::{keyed::by, view::Names};
use crate::{
    Fleet, Result,
    selector::{Answer, Facts, Rows, Selector, Term, TextField, Truth},
};
use pressroom_base::{Timestamp, id::EnvironmentId};
use pressroom_store::{
    ComponentVersion, EnvironmentFilter, EnvironmentRow, Page, Scope, TagRow, components,
    environments, snapshots, tags,
};
use std::collections::{HashMap, HashSet};

/// What is known of all environments within a scope, as far as a selector asks.
pub(super) struct Plain {
    rows: Vec<EnvironmentRow>,
    names: Names,
    /// By environment, as the next.
    components: Vec<ComponentVersion>,
    tags: Vec<TagRow>,
    snapshots: HashMap<EnvironmentId, Timestamp>,
}

impl Plain {
    /// Looks up what the selector asks, each in one statement for all environments, and
    /// leaves out what it does not ask: components are many times as many as sites.
    pub(super) async fn read(fleet: &Fleet, selector: &Selector, scope: &Scope) -> Result<Self> {
        let store = &fleet.parts.store;
        let of_components =
            |term: &Term| matches!(term, Term::Component { .. } | Term::Updates { .. });
        let of_snapshots = |term: &Term| matches!(term, Term::Snapshot { .. });
        let of_tags = |term: &Term| {
            matches!(
                term,
                Term::Text {
                    field: TextField::Tag,
                    ..
                }
            )
        };
        let filter = EnvironmentFilter::default();
        Ok(Self {
            rows: environments::list(store, scope, &filter, Page::ALL).await?,
            names: fleet.names(scope).await?,
            components: if selector.asks(of_components) {
                components::versions(store, scope).await?
            } else {
                Vec::new()
            },
            tags: if selector.asks(of_tags) {
                tags::list_all(store, scope).await?
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

    /// Those for which the selector holds, their rows, and the names they refer to.
    pub(super) fn answer(
        self,
        selector: &Selector,
        now: Timestamp,
    ) -> (Answer, HashMap<EnvironmentId, EnvironmentRow>, Names) {
        let components = by_environment(&self.components, |row| row.environment_id);
        let tags = by_environment(&self.tags, |row| row.environment_id);
        let mut answer = Answer {
            unknown_tags: selector.tags(),
            ..Answer::default()
        };
        let there: HashSet<&str> = self.tags.iter().map(|row| row.tag.as_str()).collect();
        answer
            .unknown_tags
            .retain(|tag| !there.contains(tag.as_str()));
        let mut found = Vec::new();
        for row in &self.rows {
            let domain = row.domain_id.and_then(|id| self.names.domains.get(&id));
            // Without its site it was removed just now.
            let (Some(account), Some(site)) = (
                self.names.accounts.get(&row.account_id),
                self.names.sites.get(&row.site_id),
            ) else {
                continue;
            };
            let facts = Facts::of(Rows {
                environment: row,
                account,
                site,
                domain,
                host: row.host_id.and_then(|id| self.names.hosts.get(&id)),
                components: components.get(&row.id).copied().unwrap_or_default(),
                tags: tags.get(&row.id).copied().unwrap_or_default(),
                snapshot: self.snapshots.get(&row.id).copied(),
            });
            match selector.matches(&facts, now) {
                Truth::Yes => found.push((self.names.domain(row), row)),
                Truth::Unknown => answer.undecided += 1,
                Truth::No => {}
            }
        }
        found.sort_by_key(|(domain, row)| (*domain, row.root.as_str(), row.id.get()));
        answer.found = found.iter().map(|(_, row)| row.id).collect();
        let is_found: HashSet<EnvironmentId> = answer.found.iter().copied().collect();
        let rows = self
            .rows
            .into_iter()
            .filter(|row| is_found.contains(&row.id));
        (answer, by(rows, |row| row.id), self.names)
    }
}

/// Rows that are sorted by environment, of each.
fn by_environment<T>(
    rows: &[T],
    environment: impl Fn(&T) -> EnvironmentId,
) -> HashMap<EnvironmentId, &[T]> {
    rows.chunk_by(|a, b| environment(a) == environment(b))
        .filter_map(|of_one| Some((environment(of_one.first()?), of_one)))
        .collect()
}
