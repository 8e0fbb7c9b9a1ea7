//! Exchanging a token for the next pair.

use super::claims::{Claims, Pair, agree};
use crate::{Caller, Error, Fleet, Result, code, sessions::signing_in};
use pressroom_base::catalog::event;
use pressroom_store::{accounts, families, users};
use serde_json::json;
use std::net::IpAddr;

impl Fleet {
    /// Exchanges a token, which is good no more afterwards. One that was exchanged
    /// before ends its family: somebody else has it. Everything that is not good is the
    /// same `Unauthenticated`.
    pub async fn exchange_token(&self, claims: &Claims, address: IpAddr) -> Result<Pair> {
        let tx = self.parts.store.begin().await?;
        let now = tx.now().await?;
        let mut family = families::by_public_id(&tx, &claims.family)
            .await?
            .ok_or_else(refused)?;
        let user = users::get(&tx, family.user_id).await?.ok_or_else(refused)?;
        agree(claims, &family, &user, now).map_err(|_| refused())?;
        let next = families::name();
        if !families::exchange(&tx, family.id, &claims.name, &next).await? {
            families::revoke(&tx, family.id).await?;
            self.note_about(
                &tx,
                &Caller::new(signing_in(&user)).from_address(address),
                event::TOKEN_REPLAYED,
                family.account_id,
                Some(("user", user.short_id.clone())),
                json!({ "kind": "jwt" }),
            )
            .await?;
            tx.commit().await?;
            return Err(refused());
        }
        family.current = next;
        let account = match family.account_id {
            None => None,
            Some(id) => accounts::get(&tx, id).await?.map(|row| row.short_id),
        };
        let pair = Pair::new(&family, &user, account, now);
        tx.commit().await?;
        Ok(pair)
    }
}

fn refused() -> Error {
    super::claims::refused().with_code(code::NOT_EXCHANGED)
}
