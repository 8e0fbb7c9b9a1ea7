//! Taking an invitation back.

use super::view::{Invitation, view};
use crate::{
    Caller, Error, Fleet, Result,
    accounts::name_of,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::{catalog::event, id::AccountId};
use pressroom_store::{invitations, mails};
use serde_json::json;

impl Fleet {
    /// Takes the open invitation of an address to an account back: its link leads nowhere.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn withdraw_invitation(
        &self,
        caller: &Caller,
        account: AccountId,
        email: &str,
    ) -> Result<Invitation> {
        authorize(
            &caller.principal,
            Action::AccountInvite,
            Resource::OfAccount(account),
        )?;
        let tx = self.parts.store.begin().await?;
        let row = invitations::withdraw(&tx, account, email)
            .await?
            .ok_or_else(|| {
                Error::not_found("invitation")
                    .with_hint("`pressroom user invitations` tells which are open")
            })?;
        mails::withdraw(&tx, event::USER_INVITED, account, &row.email).await?;
        self.note(
            &tx,
            caller,
            event::INVITATION_WITHDRAWN,
            Some(account),
            json!({ "email": row.email, "role": row.role }),
        )
        .await?;
        let name = name_of(&tx, account).await?;
        tx.commit().await?;
        Ok(view(row, name))
    }
}
