//! Listing receivers.

use super::WebhookEndpoint;
use crate::{
    Caller, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::id::AccountId;
use pressroom_store::{Page, Scope, webhooks::endpoints};

impl Fleet {
    /// An account's receivers, newest first, and how many these are in all.
    pub async fn list_webhook_endpoints(
        &self,
        caller: &Caller,
        account: AccountId,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<WebhookEndpoint>, u64)> {
        let store = &self.parts.store;
        let resource = Resource::OfAccount(account);
        authorize(&caller.principal, Action::WebhookRead, resource)?;
        let total = endpoints::count(store, account).await?;
        let scope = Scope::Accounts(vec![account]);
        let rows = endpoints::list(store, &scope, Page { limit, offset }).await?;
        let name = accounts::name_of(store, account).await?;
        let views = rows
            .into_iter()
            .map(|row| WebhookEndpoint::named(store, row, name.clone()));
        Ok((views.collect::<Result<_>>()?, total))
    }

    /// The account of this name, for whoever adds receivers to it at the command line.
    pub async fn find_account(&self, caller: &Caller, name: &str) -> Result<AccountId> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        Ok(accounts::named(&self.parts.store, name).await?.id)
    }

    /// The receivers of all accounts, newest first.
    pub async fn all_webhook_endpoints(&self, caller: &Caller) -> Result<Vec<WebhookEndpoint>> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let store = &self.parts.store;
        let names = accounts::names(store, &Scope::All).await?;
        let rows = endpoints::list(store, &Scope::All, Page::ALL).await?;
        rows.into_iter()
            .map(|row| {
                let name = names.get(&row.account_id).cloned().unwrap_or_default();
                WebhookEndpoint::named(store, row, name)
            })
            .collect()
    }
}
