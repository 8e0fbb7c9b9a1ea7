//! Signing in and out.

use super::{
    home::{home, signing_in},
    prove::Proof,
};
use crate::{Caller, Fleet, Result, users, views::User};
use pressroom_base::{Secret, catalog::event, token};
use pressroom_store::{self as store, Tx, UserRow, sessions};
use serde_json::json;
use std::{net::IpAddr, time::Duration};

/// How long a session lasts after it was last seen.
pub(super) const LASTS: Duration = Duration::from_hours(14 * 24);
/// Failures permitted for one person from one network in a quarter of an hour.
pub(crate) const ATTEMPTS: u32 = 5;

/// What a person types, and from where.
#[derive(Debug)]
pub struct Credentials {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: Secret<String>,
    /// The code of their second factor, or a backup code.
    pub code: Option<Secret<String>>,
    /// The browser's address.
    pub address: IpAddr,
    /// The browser's own description of itself, cut to 200 characters.
    pub agent: String,
}

/// A new session.
#[derive(Debug)]
pub struct SignedIn {
    /// The cookie's value; only its hash is kept.
    pub secret: Secret<String>,
    /// Who signed in.
    pub user: User,
}

impl Fleet {
    /// Signs a person in. A wrong password and an unknown address are the same
    /// `Unauthenticated`, in the same time; after five failures in 15 minutes for
    /// one address and network: `Limited`. With a second factor see [`Proof`].
    pub async fn sign_in(&self, credentials: Credentials) -> Result<SignedIn> {
        let proof = Proof {
            email: credentials.email,
            password: credentials.password,
            code: credentials.code,
            address: credentials.address,
        };
        let row = self.prove(proof, ATTEMPTS).await?;
        let tx = self.parts.store.begin().await?;
        self.refuse_changed(&tx, &row).await?;
        let secret = self
            .begin_session(&tx, &row, credentials.address, &credentials.agent)
            .await?;
        tx.commit().await?;
        Ok(SignedIn {
            secret,
            user: users::view(row),
        })
    }

    /// Opens a session for somebody who has shown who they are, and answers its secret.
    pub(crate) async fn begin_session(
        &self,
        tx: &Tx,
        row: &UserRow,
        address: IpAddr,
        agent: &str,
    ) -> Result<Secret<String>> {
        let secret = Secret::new(token::hex(64));
        sessions::create(
            tx,
            store::NewSession {
                user_id: row.id,
                digest: token::digest(secret.expose()),
                csrf: token::hex(64),
                lasts: LASTS,
                address: Some(address.to_string()),
                agent: Some(agent.chars().take(200).collect()),
            },
        )
        .await?;
        self.note_about(
            tx,
            &Caller::new(signing_in(row)).from_address(address),
            event::USER_SIGNED_IN,
            home(tx, row.id).await?,
            Some(("user", row.short_id.clone())),
            json!({ "user_id": row.id, "address": address, "to": "console" }),
        )
        .await?;
        Ok(secret)
    }

    /// Ends a session; an unknown one is no error.
    pub async fn sign_out(&self, secret: &str) -> Result<()> {
        let Some(session) = sessions::by_secret(&self.parts.store, secret).await? else {
            return Ok(());
        };
        let tx = self.parts.store.begin().await?;
        sessions::remove(&tx, session.id).await?;
        tx.commit().await?;
        Ok(())
    }
}
