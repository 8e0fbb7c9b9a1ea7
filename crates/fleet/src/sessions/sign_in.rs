//! Signing in and out.

use crate::{
    Caller, Error, Fleet, Principal, Result,
    principal::{Grants, Identity},
    users,
    views::User,
};
use pressroom_base::{Kind, Secret, catalog::event, password, token};
use pressroom_store::{self as store, sessions, users as people};
use serde_json::json;
use std::{net::IpAddr, time::Duration};

/// How long a session lasts after it was last seen.
pub(super) const LASTS: Duration = Duration::from_hours(14 * 24);
/// Wrong passwords permitted for one person from one network…
const ATTEMPTS: u32 = 5;
/// …in this long.
const WINDOW: Duration = Duration::from_mins(15);

/// What a person types, and from where.
#[derive(Debug)]
pub struct Credentials {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: Secret<String>,
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
    /// one address and network: `Limited`.
    pub async fn sign_in(&self, credentials: Credentials) -> Result<SignedIn> {
        let email = people::fold_email(&credentials.email);
        let key = format!("sign-in {} {email}", network(credentials.address));
        let attempts = self.peek_rate(&key, ATTEMPTS, WINDOW).await?;
        if !attempts.allowed {
            return Err(Error::new(Kind::Limited, "too many attempts to sign in")
                .with_hint("wait a quarter of an hour, then try again"));
        }
        let row = people::by_email(&self.parts.store, &email)
            .await?
            .filter(|row| row.disabled_at.is_none());
        let hash = row.as_ref().map(|row| row.password_hash.clone());
        let given = credentials.password;
        let matches = tokio::task::spawn_blocking(move || {
            // An unknown person costs the same work as a known one.
            let hash = hash.unwrap_or_else(|| password::decoy().to_owned());
            password::verify(&given, &hash)
        })
        .await
        .map_err(Error::internal)?;
        let Some(row) = row.filter(|_| matches) else {
            self.hit_rate(&key, ATTEMPTS, WINDOW).await?;
            return Err(Error::new(
                Kind::Unauthenticated,
                "wrong address or password",
            ));
        };
        let secret = Secret::new(token::hex(64));
        let tx = self.parts.store.begin().await?;
        sessions::create(
            &tx,
            store::NewSession {
                user_id: row.id,
                digest: token::digest(secret.expose()),
                csrf: token::hex(64),
                lasts: LASTS,
                address: Some(credentials.address.to_string()),
                agent: Some(credentials.agent.chars().take(200).collect()),
            },
        )
        .await?;
        self.note(
            &tx,
            &Caller::new(signing_in(&row)),
            event::USER_SIGNED_IN,
            None,
            json!({ "user_id": row.id, "address": credentials.address }),
        )
        .await?;
        tx.commit().await?;
        Ok(SignedIn {
            secret,
            user: users::view(row),
        })
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

/// What attempts are counted by: one IPv6 customer has a whole /64 to try from.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The person before any right is looked up: enough to be named in the log.
fn signing_in(row: &store::UserRow) -> Principal {
    Principal {
        identity: Identity::User {
            id: row.id,
            email: row.email.clone(),
            operator: row.is_operator,
            token: None,
            session: None,
        },
        grants: Grants::Nothing,
        memberships: Vec::new(),
    }
}
