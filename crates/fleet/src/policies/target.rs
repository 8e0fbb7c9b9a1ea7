//! Whose policy is meant.

use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::id::{AccountId, EnvironmentId};
use pressroom_store::{PolicyOf, accounts};

/// Whose policy is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyTarget {
    /// An account's: what its sites do not say.
    Account(AccountId),
    /// That of the site whose WordPress this is.
    Site(EnvironmentId),
}

impl Fleet {
    /// The account and the row that are meant, for this action.
    pub(super) async fn policy_target(
        &self,
        caller: &Caller,
        action: Action,
        of: PolicyTarget,
    ) -> Result<(AccountId, PolicyOf)> {
        match of {
            PolicyTarget::Account(id) => {
                authorize(&caller.principal, action, Resource::OfAccount(id))?;
                let row = accounts::get(&self.parts.store, id).await?;
                let row = row.ok_or_else(|| Error::not_found("account"))?;
                Ok((row.id, PolicyOf::Account(row.id)))
            }
            PolicyTarget::Site(id) => {
                let row = self.environment_row(caller, action, id).await?.env;
                Ok((row.account_id, PolicyOf::Site(row.site_id)))
            }
        }
    }
}
