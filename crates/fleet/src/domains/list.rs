//! Listing domains.

use crate::{Caller, Fleet, Result, accounts, views::Domain};
use pressroom_store::{DomainRow, domains};

impl Fleet {
    /// Domains of the caller's accounts, by name.
    pub async fn list_domains(&self, caller: &Caller) -> Result<Vec<Domain>> {
        let scope = caller.principal.scope();
        let names = accounts::names(&self.parts.store, &scope).await?;
        let rows = domains::list(&self.parts.store, &scope).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let account = names.get(&row.account_id).cloned().unwrap_or_default();
                view(row, account)
            })
            .collect())
    }
}

/// What faces see of a domain.
pub(super) fn view(row: DomainRow, account_name: String) -> Domain {
    Domain {
        id: row.id,
        name: row.name,
        account_id: row.account_id,
        account_name,
        root: row.root,
    }
}
