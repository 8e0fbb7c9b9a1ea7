//! Ending tokens before their time. Only the caller's own are touched; one that is not, or
//! that is unknown or over, is no error: whoever asked wanted it to be good no more.

use super::claims::Claims;
use crate::{Caller, Fleet, Result};
use pressroom_base::{catalog::event, id::FamilyId};
use pressroom_store::{FamilyRow, Tx, families, users};
use serde_json::json;

impl Fleet {
    /// Ends the family of the caller's token that can be exchanged.
    pub async fn revoke_refresh_token(&self, caller: &Caller, claims: &Claims) -> Result<()> {
        let tx = self.parts.store.begin().await?;
        let family = families::by_public_id(&tx, &claims.family).await?;
        if let Some(family) = family.filter(|family| owns(caller, family))
            && families::revoke(&tx, family.id).await?
        {
            self.note_end(&tx, caller, &family, "refresh").await?;
        }
        Ok(tx.commit().await?)
    }

    /// Has the caller's token that opens things open nothing for the rest of its time.
    pub async fn revoke_access_token(&self, caller: &Caller, claims: &Claims) -> Result<()> {
        let tx = self.parts.store.begin().await?;
        let family = families::by_public_id(&tx, &claims.family).await?;
        if let Some(family) = family.filter(|family| owns(caller, family))
            && claims.ends_at > tx.now().await?
            && families::deny(&tx, &claims.name, claims.ends_at).await?
        {
            self.note_end(&tx, caller, &family, "access").await?;
        }
        Ok(tx.commit().await?)
    }

    /// Signs out whoever signed in with this family.
    pub(crate) async fn end_family(&self, caller: &Caller, id: FamilyId) -> Result<()> {
        let tx = self.parts.store.begin().await?;
        if families::revoke(&tx, id).await?
            && let Some(user) = caller.principal.user_id()
        {
            let user = users::get(&tx, user).await?;
            self.note_about(
                &tx,
                caller,
                event::USER_SIGNED_OUT,
                caller.principal.account,
                user.map(|user| ("user", user.short_id)),
                json!({ "kind": "jwt" }),
            )
            .await?;
        }
        Ok(tx.commit().await?)
    }

    async fn note_end(
        &self,
        tx: &Tx,
        caller: &Caller,
        family: &FamilyRow,
        token: &str,
    ) -> Result<()> {
        let user = users::get(tx, family.user_id).await?;
        self.note_about(
            tx,
            caller,
            event::TOKEN_REVOKED,
            family.account_id,
            user.map(|user| ("user", user.short_id)),
            json!({ "kind": "jwt", "token": token }),
        )
        .await
    }
}

fn owns(caller: &Caller, family: &FamilyRow) -> bool {
    caller.principal.user_id() == Some(family.user_id)
}
