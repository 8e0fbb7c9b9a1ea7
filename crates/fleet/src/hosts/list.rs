//! Listing hosts, and finding the one that a person means.

use super::Host;
use crate::{
    Caller, Error, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::id::HostId;
use pressroom_store::{HostRow, Page, Scope, hosts};

impl Fleet {
    /// Every host, by label, as it was last found.
    pub async fn list_hosts(&self, caller: &Caller) -> Result<Vec<Host>> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let names = accounts::names(&self.parts.store, &Scope::All).await?;
        let rows = hosts::list(&self.parts.store, &Scope::All, Page::ALL).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let account = names.get(&row.account_id).cloned().unwrap_or_default();
                Host::new(row, account)
            })
            .collect())
    }

    /// The host that a label, an address or an id names; `Invalid` when several do.
    pub(crate) async fn host_row(&self, name: &str) -> Result<HostRow> {
        let store = &self.parts.store;
        let mut found = hosts::named(store, &Scope::All, name).await?;
        if found.is_empty()
            && let Ok(id) = name.parse::<HostId>()
        {
            found.extend(hosts::get(store, id).await?);
        }
        match (found.pop(), found.is_empty()) {
            (Some(row), true) => Ok(row),
            (Some(_), false) => Err(Error::invalid(format!("`{name}` names several hosts"))
                .with_hint("name it by the number that `pressroom host list` shows")),
            (None, _) => {
                Err(Error::not_found("host").with_hint("`pressroom host list` shows them all"))
            }
        }
    }
}
