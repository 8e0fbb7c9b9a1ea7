//! Telling who holds a token.

use super::TokenKind;
use crate::{
    Error, Fleet, Principal, Result, code,
    principal::{Grants, Identity, Role},
};
use ipnet::IpNet;
use pressroom_base::{Kind, Timestamp, id::UserId};
use pressroom_store::{TokenRow, accounts, tokens, users};
use std::net::IpAddr;

impl Fleet {
    /// The principal of a token. Unknown, lapsed, disabled or of another kind:
    /// `Unauthenticated`. From an address it does not allow: `Forbidden` with
    /// [`crate::code::ADDRESS_NOT_ALLOWED`]. Scopes become `principal.grants`.
    pub async fn authenticate_token(
        &self,
        kind: TokenKind,
        secret: &str,
        peer: IpAddr,
    ) -> Result<Principal> {
        let store = &self.parts.store;
        let row = tokens::by_secret(store, secret)
            .await?
            .filter(|row| row.kind == kind.as_str() && row.enabled)
            .filter(|row| row.expires_at.is_none_or(|at| at > Timestamp::now()))
            .ok_or_else(unauthenticated)?;
        if !allows(&row, peer) {
            return Err(
                Error::new(Kind::Forbidden, "this token may not be used from here")
                    .with_code(code::ADDRESS_NOT_ALLOWED),
            );
        }
        let user = row.user_id.ok_or_else(unauthenticated)?;
        let mut principal = self.person(user).await?.ok_or_else(unauthenticated)?;
        principal.grants = grants(&row.scopes);
        if let Identity::User { token, .. } = &mut principal.identity {
            *token = Some(row.id);
        }
        if let Err(error) = tokens::touch(store, &row).await {
            tracing::warn!(token.id = %row.id, error = %error, "the token's last use was not noted");
        }
        Ok(principal)
    }

    /// A person with their memberships; `None` when unknown or disabled.
    pub(crate) async fn person(&self, id: UserId) -> Result<Option<Principal>> {
        let store = &self.parts.store;
        let Some(user) = users::get(store, id)
            .await?
            .filter(|user| user.disabled_at.is_none())
        else {
            return Ok(None);
        };
        let memberships = accounts::memberships_of(store, id)
            .await?
            .into_iter()
            .map(|row| (row.account_id, Role::of(row.role)))
            .collect();
        Ok(Some(Principal {
            identity: Identity::User {
                id: user.id,
                email: user.email,
                operator: user.is_operator,
                token: None,
                session: None,
                family: None,
            },
            grants: Grants::All,
            memberships,
            account: None,
        }))
    }
}

fn unauthenticated() -> Error {
    Error::new(Kind::Unauthenticated, "unknown or lapsed credential")
}

fn allows(row: &TokenRow, peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    row.cidrs.is_empty()
        || row
            .cidrs
            .iter()
            .filter_map(|text| text.parse::<IpNet>().ok())
            .any(|network| network.contains(&peer))
}

fn grants(scopes: &[String]) -> Grants {
    let has = |wanted: &[&str]| scopes.iter().any(|scope| wanted.contains(&scope.as_str()));
    if has(&["all", "wordpress"]) {
        Grants::All
    } else if has(&["read"]) {
        Grants::Read
    } else {
        Grants::Nothing
    }
}
