//! Telling who holds a token.

use super::claims::{Claims, agree, refused};
use crate::{Fleet, Principal, Result, principal::Identity};
use pressroom_store::{families, users};

impl Fleet {
    /// The principal of a token that opens things; it works in its family's account.
    /// Everything that is not good is the same `Unauthenticated`.
    pub async fn recognize_token(&self, claims: &Claims) -> Result<Principal> {
        let store = &self.parts.store;
        let family = families::by_public_id(store, &claims.family)
            .await?
            .ok_or_else(refused)?;
        let user = users::get(store, family.user_id)
            .await?
            .ok_or_else(refused)?;
        agree(claims, &family, &user, store.now().await?)?;
        if families::is_denied(store, &claims.name).await? {
            return Err(refused());
        }
        let mut principal = self.person(user.id).await?.ok_or_else(refused)?;
        if let Identity::User { family: of, .. } = &mut principal.identity {
            *of = Some(family.id);
        }
        principal.account = family
            .account_id
            .filter(|account| principal.role_in(*account).is_some());
        Ok(principal)
    }
}
