//! Revoking a token.

use super::Token;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::{Timestamp, catalog::event, id::TokenId};
use pressroom_store::{tokens, users};
use serde_json::json;

/// What came of revoking a token.
#[derive(Debug, Clone)]
pub struct Revoked {
    /// The token, which opens nothing.
    pub token: Token,
    /// Whether it was revoked before already.
    pub already: bool,
}

impl Fleet {
    /// Makes a token open nothing any more, from the next request on. It stays listed.
    /// One that was revoked before stays so, which is no error.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn revoke_token(&self, caller: &Caller, id: TokenId) -> Result<Revoked> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let tx = self.parts.store.begin().await?;
        let mut row = tokens::get(&tx, id).await?.ok_or_else(|| {
            Error::not_found("token").with_hint("`pressroom token list` shows them all")
        })?;
        let user = match row.user_id {
            Some(user) => users::get(&tx, user).await?.map(|user| user.email),
            None => None,
        };
        let already = !row.enabled;
        if !already {
            tokens::set_enabled(&tx, id, false).await?;
            row.enabled = false;
            self.note(
                &tx,
                caller,
                event::TOKEN_REVOKED,
                None,
                json!({ "token_id": id, "kind": row.kind, "prefix": row.prefix, "user": user }),
            )
            .await?;
        }
        tx.commit().await?;
        Ok(Revoked {
            token: Token::new(row, user, Timestamp::now()),
            already,
        })
    }
}
