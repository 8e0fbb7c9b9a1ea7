//! Accounts by the names that people give them, and the names of those that rows are of.

use crate::{Error, Result};
use pressroom_base::id::AccountId;
use pressroom_store::{AccountRow, Read, Scope, accounts};
use std::collections::HashMap;

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
