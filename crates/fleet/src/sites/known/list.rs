//! Listing sites.

use super::view::Site;
use crate::{
    Caller, Error, Fleet, Problem, Result,
    authorize::{Action, Resource, authorize, authorize_list},
    error::refusal,
    selector::tag_name,
};
use pressroom_base::id::AccountId;
use pressroom_store::{Page, Scope, SiteFilter, SiteStatus, sites};

/// Which sites to list; nothing is all of them.
#[derive(Debug, Clone, Default)]
pub struct SiteQuery {
    /// One of the statuses.
    pub status: Option<String>,
    /// What is in their name or address, however it is written.
    pub text: Option<String>,
    /// A tag of theirs.
    pub tag: Option<String>,
}

impl Fleet {
    /// The sites of an account by name, and how many these are on all pages. How many
    /// statements that takes does not depend on how many they are.
    ///
    /// Errors: `Invalid` (no such status), `NotFound`, `Forbidden`.
    pub async fn list_sites(
        &self,
        caller: &Caller,
        account: AccountId,
        query: SiteQuery,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<Site>, u64)> {
        authorize(
            &caller.principal,
            Action::SiteRead,
            Resource::OfAccount(account),
        )?;
        let status = match query.status.as_deref().map(SiteStatus::parse) {
            Some(None) => return Err(unknown_status()),
            status => status.flatten(),
        };
        let tag = match query.tag.as_deref().map(tag_name) {
            // No site has what can be no tag.
            Some(None) => return Ok((Vec::new(), 0)),
            tag => tag.flatten(),
        };
        let filter = SiteFilter {
            status,
            text: query.text,
            tag,
        };
        let scope = Scope::Accounts(vec![account]);
        let page = Page { limit, offset };
        let (found, total) = sites::list(&self.parts.store, &scope, &filter, page).await?;
        Ok((found.into_iter().map(Site::from).collect(), total))
    }

    /// The sites of the caller's accounts of which only an address is known, by name.
    pub async fn list_unconnected_sites(&self, caller: &Caller) -> Result<Vec<Site>> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let scope = caller.principal.scope();
        let found = sites::list_unconnected(&self.parts.store, &scope).await?;
        Ok(found.into_iter().map(Site::from).collect())
    }
}

fn unknown_status() -> Error {
    let known = SiteStatus::ALL.iter().map(|status| status.as_str());
    let known = known.collect::<Vec<_>>().join(", ");
    refusal(vec![Problem::new("status", "is invalid")]).with_hint(format!("it is one of {known}"))
}
