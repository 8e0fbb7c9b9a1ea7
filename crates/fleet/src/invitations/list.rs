//! Listing invitations.

use super::view::{Invitation, view};
use crate::{
    Caller, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::id::AccountId;
use pressroom_store::{Scope, invitations};

impl Fleet {
    /// The invitations to an account that may be accepted, by address; to all accounts, for
    /// an operator who names none.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn list_invitations(
        &self,
        caller: &Caller,
        account: Option<AccountId>,
    ) -> Result<Vec<Invitation>> {
        let whose = account.map_or(Resource::Installation, Resource::OfAccount);
        authorize(&caller.principal, Action::AccountInvite, whose)?;
        let scope = account.map_or(Scope::All, |account| Scope::Accounts(vec![account]));
        let store = &self.parts.store;
        let rows = invitations::list_open(store, &scope).await?;
        let names = accounts::names(store, &scope).await?;
        let shown = rows.into_iter().map(|row| {
            let name = names.get(&row.account_id).cloned();
            view(row, name.unwrap_or_default())
        });
        Ok(shown.collect())
    }
}
