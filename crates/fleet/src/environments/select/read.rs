//! Reading what selectors ask of some environments.

use super::super::{
    address::host_name,
    keyed::{by, group, unique},
};
use crate::{
    Result,
    selector::{Facts, Place, Rows},
};
use pressroom_base::id::EnvironmentId;
use pressroom_store::{
    EnvironmentState, Store, accounts, components, domains, environments, hosts, snapshots, tags,
};

/// Environments read at once: some statements name each of them.
pub(super) const AT_ONCE: usize = 500;

/// What is known of these environments, at most [`AT_ONCE`]; those that are gone, or but
/// a record, are left out.
pub(super) async fn facts(store: &Store, ids: &[EnvironmentId]) -> Result<Vec<(Place, Facts)>> {
    let mut rows = environments::get_many(store, ids).await?;
    rows.retain(|row| row.state != EnvironmentState::Failed);
    let ids: Vec<EnvironmentId> = rows.iter().map(|row| row.id).collect();
    let of_accounts = unique(rows.iter().map(|row| Some(row.account_id)));
    let of_sites = unique(rows.iter().map(|row| Some(row.site_id)));
    let of_domains = unique(rows.iter().map(|row| row.domain_id));
    let of_hosts = unique(rows.iter().map(|row| row.host_id));
    let accounts = by(accounts::get_many(store, &of_accounts).await?, |row| row.id);
    let sites = by(environments::get_sites(store, &of_sites).await?, |row| {
        row.id
    });
    let domains = by(domains::get_many(store, &of_domains).await?, |row| row.id);
    let hosts = by(hosts::get_many(store, &of_hosts).await?, |row| row.id);
    let components = group(components::versions_of(store, &ids).await?, |row| {
        row.environment_id
    });
    let tags = group(tags::list_many(store, &ids).await?, |row| {
        row.environment_id
    });
    let snapshots = snapshots::newest_whole_of(store, &ids).await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let domain = row.domain_id.and_then(|id| domains.get(&id));
            let facts = Facts::of(Rows {
                environment: row,
                // Without its site it was removed just now.
                account: accounts.get(&row.account_id)?,
                site: sites.get(&row.site_id)?,
                domain,
                host: row.host_id.and_then(|id| hosts.get(&id)),
                components: components.get(&row.id).map_or(&[], Vec::as_slice),
                tags: tags.get(&row.id).map_or(&[], Vec::as_slice),
                snapshot: snapshots.get(&row.id).copied(),
            });
            // As lists have it.
            let name = domain.map_or_else(|| host_name(row), |row| row.name.as_str());
            let place = Place {
                id: row.id,
                account: row.account_id,
                site: row.site_id,
                domain: row.domain_id,
                host: row.host_id,
                order: (name.into(), row.root.as_str().into()),
            };
            Some((place, facts))
        })
        .collect())
}
