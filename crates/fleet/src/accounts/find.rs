//! Accounts by the names that people give them, and the names of those that rows are of.

use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    views::Account,
};
use pressroom_base::id::AccountId;
use pressroom_store::{AccountRow, Read, Scope, accounts};
use std::collections::HashMap;

impl Fleet {
    /// The account of this name, however it is written; one that the caller does not belong
    /// to is `NotFound`.
    pub async fn account_named(&self, caller: &Caller, name: &str) -> Result<Account> {
        let row = named(&self.parts.store, name).await?;
        let whose = Resource::OfAccount(row.id);
        authorize(&caller.principal, Action::AccountRead, whose)?;
        Ok(super::list::view(row))
    }

    /// The account with this row id; one that the caller does not belong to is `NotFound`.
    pub async fn get_account(&self, caller: &Caller, id: AccountId) -> Result<Account> {
        let whose = Resource::OfAccount(id);
        authorize(&caller.principal, Action::AccountRead, whose)?;
        let row = accounts::get(&self.parts.store, id).await?;
        let row = row.ok_or_else(|| Error::not_found("account"))?;
        Ok(super::list::view(row))
    }
}

/// The account of this name; `NotFound` says how to add it.
pub(crate) async fn named(from: &impl Read, name: &str) -> Result<AccountRow> {
    let found = accounts::by_name(from, name).await?;
    found.ok_or_else(|| {
        Error::not_found("account").with_hint("add it first with `pressroom account add`")
    })
}

/// The name of one account; empty when it went meanwhile.
pub(crate) async fn name_of(from: &impl Read, id: AccountId) -> Result<String> {
    let found = accounts::get(from, id).await?;
    Ok(found.map(|account| account.name).unwrap_or_default())
}

/// The names of all accounts within a scope.
pub(crate) async fn names(from: &impl Read, scope: &Scope) -> Result<HashMap<AccountId, String>> {
    let rows = accounts::list(from, scope).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
