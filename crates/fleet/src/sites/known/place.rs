//! How a site that is added is to be reached.

use crate::{
    Error, Fleet, Problem, Result,
    sites::{adopt, ssh_place::SshPlace},
};
use pressroom_base::{
    Kind,
    id::{AccountId, HostId},
};
use pressroom_store::{ConnectionMethod, HostRow, Lookup, Scope, domains, hosts};
use serde_json::Value;
use url::Url;

/// A WordPress on a host, as somebody names it.
#[derive(Debug, Clone, Default)]
pub struct SshAt {
    /// The host: label, address or id.
    pub host: String,
    /// The directory of WordPress there; looked for by its address, without.
    pub path: Option<String>,
}

/// What was said of how a site is to be reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) method: Option<&'a str>,
    pub(super) ssh: Option<&'a SshAt>,
}

/// How a site is to be reached; nobody knows, without a method.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Way {
    pub(super) method: Option<ConnectionMethod>,
    pub(super) place: Option<Value>,
}

impl Fleet {
    /// How a site of an account is to be reached. Where nothing was said, it is local if its
    /// host name is a domain of the account. Only what operators added is named so: their
    /// domains, and their hosts.
    pub(super) async fn way_to(
        &self,
        account: AccountId,
        url: &Url,
        said: Said<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<Way> {
        let method = said.method.map(ConnectionMethod::parse);
        match (method, said.ssh) {
            (Some(None), _) => {
                problems.push(Problem::new("connection_method", "is invalid"));
                Ok(Way::default())
            }
            (Some(Some(ConnectionMethod::Connector)), _) => Err(no_connector()),
            (Some(Some(ConnectionMethod::Local)), _) => {
                if !self.has_domain(account, url).await? {
                    let text = "is at no domain of this account on this machine";
                    problems.push(Problem::new("url", text));
                }
                Ok(local())
            }
            (Some(Some(ConnectionMethod::Ssh)), None) => {
                problems.push(Problem::new("ssh", "can't be blank"));
                Ok(Way::default())
            }
            (Some(Some(ConnectionMethod::Ssh)) | None, Some(at)) => {
                self.way_by_ssh(account, at, problems).await
            }
            (None, None) if self.has_domain(account, url).await? => Ok(local()),
            (None, None) => Ok(Way::default()),
        }
    }

    async fn way_by_ssh(
        &self,
        account: AccountId,
        at: &SshAt,
        problems: &mut Vec<Problem>,
    ) -> Result<Way> {
        let Some(host) = self.host_of_account(account, &at.host).await? else {
            problems.push(Problem::new("ssh", "names no host of this account"));
            return Ok(Way::default());
        };
        let path = at.path.as_deref().map(str::trim);
        let path = path.filter(|path| !path.is_empty());
        if path.is_some_and(|path| adopt::checked_path(path).is_err()) {
            problems.push(Problem::new(
                "ssh",
                "has a path that is no absolute directory",
            ));
            return Ok(Way::default());
        }
        let place = SshPlace {
            host: host.id,
            path: path.map(str::to_owned),
        };
        Ok(Way {
            method: Some(ConnectionMethod::Ssh),
            place: Some(serde_json::to_value(place).map_err(Error::internal)?),
        })
    }

    /// The one host of an account that is called so.
    async fn host_of_account(&self, account: AccountId, name: &str) -> Result<Option<HostRow>> {
        let store = &self.parts.store;
        let scope = Scope::Accounts(vec![account]);
        let mut found = hosts::named(store, &scope, name.trim()).await?;
        if found.is_empty()
            && let Ok(id) = name.trim().parse::<HostId>()
        {
            found.extend(hosts::look_up(store, &scope, id).await?.found());
        }
        let only = found.pop();
        Ok(only.filter(|_| found.is_empty()))
    }

    /// Whether the host name of an address is a domain of the account.
    async fn has_domain(&self, account: AccountId, url: &Url) -> Result<bool> {
        let scope = Scope::Accounts(vec![account]);
        let name = url.host_str().unwrap_or_default();
        let found = domains::by_name(&self.parts.store, &scope, name).await?;
        Ok(matches!(found, Lookup::Found(_)))
    }
}

fn local() -> Way {
    Way {
        method: Some(ConnectionMethod::Local),
        place: None,
    }
}

fn no_connector() -> Error {
    Error::new(
        Kind::Unsupported,
        "the connector is not part of this version: connect the site over `ssh`, or as a `local` \
         one at a domain of the account",
    )
    .with_problems(vec![Problem::new(
        "connection_method",
        "is not part of this version",
    )])
}
