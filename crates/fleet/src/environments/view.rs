//! Rows as faces see them.

use super::{
    address::host_name,
    keyed::{by, unique},
};
use crate::{
    Fleet, Result,
    views::{Component, Environment, Job},
};
use pressroom_base::id::{AccountId, DomainId, EnvironmentId, HostId, JobId, SiteId};
use pressroom_store::{
    AccountRow, ComponentRow, DomainRow, EnvironmentRow, HostRow, JobState, Page, Scope, SiteRow,
    accounts, components, domains, environments, hosts, jobs, tags,
};
use std::collections::HashMap;

/// Names that environments refer to, looked up once for a whole list.
pub(super) struct Names {
    pub(super) accounts: HashMap<AccountId, AccountRow>,
    pub(super) domains: HashMap<DomainId, DomainRow>,
    pub(super) sites: HashMap<SiteId, SiteRow>,
    pub(super) hosts: HashMap<HostId, HostRow>,
    busy: HashMap<EnvironmentId, JobId>,
}

impl Names {
    /// The name of an environment's domain.
    pub(super) fn domain<'a>(&'a self, row: &'a EnvironmentRow) -> &'a str {
        let domain = row.domain_id.and_then(|id| self.domains.get(&id));
        domain.map_or_else(|| host_name(row), |row| row.name.as_str())
    }

    /// Sorts environments by domain, then path.
    pub(super) fn sort(&self, rows: &mut [EnvironmentRow]) {
        rows.sort_by(|a, b| (self.domain(a), &a.root).cmp(&(self.domain(b), &b.root)));
    }

    /// Whether domain, title, account or site has this word, which is lower case.
    pub(super) fn mentions(&self, row: &EnvironmentRow, word: &str) -> bool {
        let account = self.accounts.get(&row.account_id);
        let site = self.sites.get(&row.site_id);
        [
            Some(self.domain(row)),
            Some(row.title.as_str()),
            account.map(|row| row.name.as_str()),
            site.map(|row| row.name.as_str()),
        ]
        .into_iter()
        .flatten()
        .any(|text| text.to_lowercase().contains(word))
    }
}

impl Fleet {
    pub(super) async fn names(&self, scope: &Scope) -> Result<Names> {
        let store = &self.parts.store;
        Ok(Names {
            accounts: by(accounts::list(store, scope).await?, |row| row.id),
            domains: by(domains::list(store, scope).await?, |row| row.id),
            sites: by(environments::list_sites(store, scope).await?, |row| row.id),
            hosts: by(hosts::list(store, scope, Page::ALL).await?, |row| row.id),
            busy: jobs::running_writers(store).await?.into_iter().collect(),
        })
    }

    /// The same for these environments, by the cheaper way: a scope may have ten thousand
    /// others.
    pub(super) async fn names_of_many(
        &self,
        scope: &Scope,
        rows: &[EnvironmentRow],
    ) -> Result<Names> {
        if rows.len() > FEW {
            return self.names(scope).await;
        }
        let store = &self.parts.store;
        let of_accounts = unique(rows.iter().map(|row| Some(row.account_id)));
        let of_domains = unique(rows.iter().map(|row| row.domain_id));
        let of_sites = unique(rows.iter().map(|row| Some(row.site_id)));
        let accounts = accounts::get_many(store, &of_accounts).await?;
        let domains = domains::get_many(store, &of_domains).await?;
        let sites = environments::get_sites(store, &of_sites).await?;
        let of_hosts = unique(rows.iter().map(|row| row.host_id));
        let hosts = hosts::get_many(store, &of_hosts).await?;
        Ok(Names {
            hosts: by(hosts, |row| row.id),
            accounts: by(accounts, |row| row.id),
            domains: by(domains, |row| row.id),
            sites: by(sites, |row| row.id),
            busy: jobs::running_writers(store).await?.into_iter().collect(),
        })
    }

    /// The same for one environment: an account may have ten thousand others.
    async fn names_of(&self, row: &EnvironmentRow) -> Result<Names> {
        let store = &self.parts.store;
        let domain = match row.domain_id {
            Some(id) => domains::get(store, id).await?,
            None => None,
        };
        let host = match row.host_id {
            Some(id) => hosts::get(store, id).await?,
            None => None,
        };
        let busy = jobs::writing_on(store, row.id).await?;
        Ok(Names {
            hosts: by(host, |row| row.id),
            accounts: by(accounts::get(store, row.account_id).await?, |row| row.id),
            domains: by(domain, |row| row.id),
            sites: by(environments::get_site(store, row.site_id).await?, |row| {
                row.id
            }),
            busy: busy
                .into_iter()
                .filter(|job| job.state == JobState::Running)
                .map(|job| (row.id, job.id))
                .collect(),
        })
    }

    pub(super) async fn views(
        &self,
        names: &Names,
        rows: Vec<EnvironmentRow>,
    ) -> Result<Vec<Environment>> {
        let ids: Vec<EnvironmentId> = rows.iter().map(|row| row.id).collect();
        let mut found: HashMap<EnvironmentId, Vec<Component>> = HashMap::new();
        for row in components::list_many(&self.parts.store, &ids).await? {
            found
                .entry(row.environment_id)
                .or_default()
                .push(component(row));
        }
        let mut tagged: HashMap<EnvironmentId, Vec<String>> = HashMap::new();
        for row in tags::list_many(&self.parts.store, &ids).await? {
            tagged.entry(row.environment_id).or_default().push(row.tag);
        }
        Ok(rows
            .into_iter()
            .map(|row| {
                let parts = Parts {
                    components: found.remove(&row.id).unwrap_or_default(),
                    tags: tagged.remove(&row.id).unwrap_or_default(),
                };
                view(row, names, parts)
            })
            .collect())
    }

    pub(crate) async fn view(&self, row: EnvironmentRow) -> Result<Environment> {
        let names = self.names_of(&row).await?;
        let components = components::list(&self.parts.store, row.id)
            .await?
            .into_iter()
            .map(component);
        let parts = Parts {
            components: components.collect(),
            tags: tags::list(&self.parts.store, row.id).await?,
        };
        Ok(view(row, &names, parts))
    }
}

/// Environments whose names one statement can ask for by id.
const FEW: usize = 500;

/// What an environment has many of.
struct Parts {
    components: Vec<Component>,
    tags: Vec<String>,
}

fn view(row: EnvironmentRow, names: &Names, parts: Parts) -> Environment {
    let account = names.accounts.get(&row.account_id);
    let domain = names.domain(&row).to_owned();
    let host = row.host_id.and_then(|id| names.hosts.get(&id));
    let site = names.sites.get(&row.site_id);
    Environment {
        id: row.id,
        site_id: row.site_id,
        site_name: site.map(|site| site.name.clone()).unwrap_or_default(),
        account_id: row.account_id,
        account_name: account.map(|row| row.name.clone()).unwrap_or_default(),
        domain_id: row.domain_id,
        domain,
        host: host.map(|host| host.label.clone()),
        kind: row.kind.as_str().to_owned(),
        panel_id: row.panel_id,
        state: row.state.as_str().to_owned(),
        root: row.root,
        url: row.url,
        origin: row.origin_addr,
        title: row.title,
        core_version: row.core_version,
        php_version: row.php_version,
        db_name: row.db_name,
        db_user: row.db_user,
        db_host: row.db_host,
        table_prefix: row.table_prefix,
        debug: row.debug,
        multisite: row.multisite,
        components: parts.components,
        tags: parts.tags,
        busy: names.busy.get(&row.id).copied(),
        inspected_at: row.inspected_at,
        created_at: row.created_at,
    }
}

fn component(row: ComponentRow) -> Component {
    Component {
        kind: row.kind,
        slug: row.slug,
        file: row.file,
        name: row.name,
        version: row.version,
        status: row.status,
        new_version: row.new_version,
        offer_unknown: row.offer_unknown,
        author: row.author,
        description: row.description,
        parent: row.parent,
    }
}

/// An environment whose row is gone, from what its installation's job remembers.
pub(super) fn undone(job: &Job) -> Environment {
    Environment {
        id: EnvironmentId::new(0),
        site_id: SiteId::new(0),
        site_name: String::new(),
        account_id: job.account_id.unwrap_or(AccountId::new(0)),
        account_name: String::new(),
        domain_id: None,
        host: None,
        domain: job.domain.clone().unwrap_or_default(),
        kind: "production".into(),
        panel_id: job.panel_id.clone().unwrap_or_default(),
        state: "failed".into(),
        root: String::new(),
        url: String::new(),
        origin: None,
        title: String::new(),
        core_version: String::new(),
        php_version: String::new(),
        db_name: String::new(),
        db_user: String::new(),
        db_host: String::new(),
        table_prefix: String::new(),
        debug: false,
        multisite: false,
        components: Vec::new(),
        tags: Vec::new(),
        busy: None,
        inspected_at: None,
        created_at: job.created_at,
    }
}
