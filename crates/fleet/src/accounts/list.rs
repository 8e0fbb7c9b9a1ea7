//! Listing accounts.

use crate::{Caller, Fleet, Result, views::Account};
use pressroom_store::{AccountRow, accounts};

impl Fleet {
    /// The accounts this caller belongs to; all of them for an operator.
    pub async fn list_accounts(&self, caller: &Caller) -> Result<Vec<Account>> {
        let rows = accounts::list(&self.parts.store, &caller.principal.scope()).await?;
        Ok(rows.into_iter().map(view).collect())
    }
}

/// What faces see of an account.
pub(crate) fn view(row: AccountRow) -> Account {
    Account {
        id: row.id,
        name: row.name,
        prefix: row.prefix,
    }
}
