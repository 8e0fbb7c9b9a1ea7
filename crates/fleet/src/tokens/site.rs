//! Telling which site introduces itself.

use crate::{
    Error, Fleet, Principal, Result,
    principal::{Grants, Identity},
};
use pressroom_base::{Kind, token};
use pressroom_store::sites;

impl Fleet {
    /// The site whose token this is: one that its connector was set up with, and that is
    /// good yet. It may send what is awaited of itself, and nothing else.
    ///
    /// Errors: `Unauthenticated`.
    pub async fn authenticate_site(&self, secret: &str) -> Result<Principal> {
        let store = &self.parts.store;
        let now = store.now().await?;
        let site = sites::by_token_hash(store, &token::digest(secret), now)
            .await?
            .ok_or_else(|| Error::new(Kind::Unauthenticated, "unknown or lapsed credential"))?;
        Ok(Principal {
            identity: Identity::Site {
                id: site.id,
                account: site.account_id,
                url: site.url.unwrap_or(site.name),
            },
            grants: Grants::Upload,
            memberships: Vec::new(),
            account: Some(site.account_id),
        })
    }
}
