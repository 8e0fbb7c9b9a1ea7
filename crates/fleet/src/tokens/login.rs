//! Tokens that a program gets by signing in, and their end.

use super::{IssuedToken, Token};
use crate::{
    Caller, Fleet, Result,
    sessions::{Proof, home, signing_in},
};
use pressroom_base::{Secret, Timestamp, catalog::event, token};
use pressroom_store::{self as store, tokens, users};
use serde_json::json;

/// Failures permitted for one person from one network in a quarter of an hour.
pub(crate) const ATTEMPTS: u32 = 10;
/// Tokens of this kind that one person has; the oldest goes for a new one.
const MOST: u64 = 20;
/// What such a token is called.
const NAME: &str = "login";
/// Random bytes in one.
const BYTES: usize = 32;

impl Fleet {
    /// Signs a program in as a person and issues a token, which is good until it is
    /// ended or twenty newer ones were issued. Errors as for [`Proof`].
    pub async fn sign_in_for_token(&self, proof: Proof) -> Result<IssuedToken> {
        let address = proof.address;
        let user = self.prove(proof, ATTEMPTS).await?;
        let caller = Caller::new(signing_in(&user)).from_address(address);
        let secret = token::base64url(BYTES);
        let tx = self.parts.store.begin().await?;
        self.refuse_changed(&tx, &user).await?;
        let row = tokens::create(
            &tx,
            store::NewToken {
                kind: super::TokenKind::Api.as_str().to_owned(),
                user_id: Some(user.id),
                name: NAME.to_owned(),
                prefix: secret.chars().take(12).collect(),
                digest: token::digest(&secret),
                scopes: vec!["all".to_owned()],
                login: true,
                ..store::NewToken::default()
            },
        )
        .await?;
        let dropped = tokens::trim_logins(&tx, user.id, MOST).await?;
        let account = home(&tx, user.id).await?;
        let subject = Some(("user", user.short_id.clone()));
        self.note_about(
            &tx,
            &caller,
            event::USER_SIGNED_IN,
            account,
            subject.clone(),
            json!({ "user_id": user.id, "address": address, "to": "api" }),
        )
        .await?;
        self.note_about(
            &tx,
            &caller,
            event::TOKEN_CREATED,
            account,
            subject,
            json!({ "token_id": row.id, "kind": row.kind, "name": NAME, "prefix": row.prefix,
                    "dropped": dropped }),
        )
        .await?;
        tx.commit().await?;
        Ok(IssuedToken {
            secret: Secret::new(secret),
            token: Token::new(row, Some(user.email), Timestamp::now()),
        })
    }

    /// Signs a program out: the token it got by signing in is gone, or the family of its
    /// token ended. A token that somebody made for it stays.
    pub async fn sign_out_program(&self, caller: &Caller) -> Result<()> {
        if let Some(family) = caller.principal.family_id() {
            self.end_family(caller, family).await?;
            return Ok(());
        }
        let (Some(id), Some(user)) = (caller.principal.token_id(), caller.principal.user_id())
        else {
            return Ok(());
        };
        let tx = self.parts.store.begin().await?;
        let Some(row) = tokens::get(&tx, id).await?.filter(|row| row.login) else {
            return Ok(());
        };
        tokens::remove(&tx, id).await?;
        let subject = users::get(&tx, user)
            .await?
            .map(|user| ("user", user.short_id));
        self.note_about(
            &tx,
            caller,
            event::TOKEN_REVOKED,
            home(&tx, user).await?,
            subject,
            json!({ "token_id": id, "kind": row.kind, "name": row.name, "prefix": row.prefix }),
        )
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes a token of the caller's own open nothing any more, named by its secret.
    /// One that is unknown, somebody else's or revoked already: `false`.
    pub async fn revoke_own_token(&self, caller: &Caller, secret: &str) -> Result<bool> {
        let Some(user) = caller.principal.user_id() else {
            return Ok(false);
        };
        let tx = self.parts.store.begin().await?;
        let own = tokens::by_secret(&tx, secret).await?.filter(|row| {
            row.user_id == Some(user) && row.enabled && row.kind == super::TokenKind::Api.as_str()
        });
        let Some(row) = own else {
            return Ok(false);
        };
        tokens::set_enabled(&tx, row.id, false).await?;
        let subject = users::get(&tx, user)
            .await?
            .map(|user| ("user", user.short_id));
        self.note_about(
            &tx,
            caller,
            event::TOKEN_REVOKED,
            home(&tx, user).await?,
            subject,
            json!({ "token_id": row.id, "kind": row.kind, "name": row.name, "prefix": row.prefix }),
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }
}
