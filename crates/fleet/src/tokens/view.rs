//! A token as people see it: everything but the secret.

use pressroom_base::{Timestamp, id::TokenId};
use pressroom_store::TokenRow;
use serde::Serialize;

/// A credential of a program.
#[derive(Debug, Clone, Serialize)]
pub struct Token {
    /// Row id.
    pub id: TokenId,
    /// What it opens: `panel`, `api` or `application`.
    pub kind: String,
    /// Its holder's address; `None` for one that is nobody's.
    pub user: Option<String>,
    /// What its holder calls it.
    pub name: String,
    /// The first characters of the secret, to tell it by.
    pub prefix: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Networks it may be used from; empty is anywhere.
    pub networks: Vec<String>,
    /// `active`, `lapsed` or `revoked`. Only an active one opens anything.
    pub state: &'static str,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was issued.
    pub created_at: Timestamp,
}

impl Token {
    pub(super) fn new(row: TokenRow, user: Option<String>, now: Timestamp) -> Self {
        let state = if !row.enabled {
            "revoked"
        } else if row.expires_at.is_some_and(|at| at <= now) {
            "lapsed"
        } else {
            "active"
        };
        Self {
            id: row.id,
            kind: row.kind,
            user,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes,
            networks: row.cidrs,
            state,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            created_at: row.created_at,
        }
    }
}
