//! Signing a program in.

use super::claims::{LASTS, Pair};
use crate::{
    Caller, Fleet, Result,
    sessions::{Proof, home, signing_in},
    tokens::LOGIN_ATTEMPTS,
};
use pressroom_base::catalog::event;
use pressroom_store::{NewFamily, accounts, families};
use serde_json::json;

impl Fleet {
    /// Signs a program in as a person and begins a family. Errors as for [`Proof`].
    pub async fn sign_in_for_pair(&self, proof: Proof) -> Result<Pair> {
        let address = proof.address;
        let user = self.prove(proof, LOGIN_ATTEMPTS).await?;
        let caller = Caller::new(signing_in(&user)).from_address(address);
        let tx = self.parts.store.begin().await?;
        self.refuse_changed(&tx, &user).await?;
        let account = home(&tx, user.id).await?;
        let family = families::create(
            &tx,
            NewFamily {
                user_id: user.id,
                account_id: account,
                lasts: LASTS,
                address: Some(address.to_string()),
            },
        )
        .await?;
        self.note_about(
            &tx,
            &caller,
            event::USER_SIGNED_IN,
            account,
            Some(("user", user.short_id.clone())),
            json!({ "user_id": user.id, "address": address, "to": "jwt" }),
        )
        .await?;
        let named = match account {
            None => None,
            Some(id) => accounts::get(&tx, id).await?.map(|row| row.short_id),
        };
        let pair = Pair::new(&family, &user, named, tx.now().await?);
        tx.commit().await?;
        Ok(pair)
    }
}
