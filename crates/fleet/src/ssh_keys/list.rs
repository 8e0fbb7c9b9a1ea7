//! Listing keys.

use super::SshKey;
use crate::{
    Caller, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
};
use pressroom_store::{Page, Scope, ssh_keys};

impl Fleet {
    /// Every key, oldest first, without the private halves.
    pub async fn list_ssh_keys(&self, caller: &Caller) -> Result<Vec<SshKey>> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let names = accounts::names(&self.parts.store, &Scope::All).await?;
        let rows = ssh_keys::list(&self.parts.store, &Scope::All, Page::ALL).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let account = names.get(&row.account_id).cloned().unwrap_or_default();
                SshKey::new(row, account)
            })
            .collect())
    }
}
