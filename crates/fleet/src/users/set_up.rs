//! Adding the first person, with a link that whoever started the program was given.

use super::{NewUser, add::Checked, view};
use crate::{
    Caller, Error, Fleet, Result,
    sessions::{SignedIn, signing_in},
};
use pressroom_base::{Secret, catalog::event, token};
use pressroom_store::{settings, users};
use serde_json::json;
use std::net::IpAddr;

/// Where the secret is kept, sealed; empty once it was used.
const SETTING: &str = "set_up";
const PLACE: &str = "settings.value/set_up";

/// The first person of an installation: its operator, and the owner of an account.
#[derive(Debug)]
pub struct FirstUser {
    /// Of the link.
    pub secret: Secret<String>,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// At least eight characters.
    pub password: Secret<String>,
    /// The name of the account that will own their sites.
    pub account: String,
    /// The browser's address.
    pub address: IpAddr,
    /// The browser's own description of itself.
    pub agent: String,
}

impl Fleet {
    /// The secret that adds the first person; `None` as soon as there is anybody. All
    /// processes over one store answer the same.
    pub async fn set_up_secret(&self) -> Result<Option<Secret<String>>> {
        if users::exist(&self.parts.store).await? {
            return Ok(None);
        }
        let new = self.parts.store.seal(PLACE, &Secret::new(token::hex(64)));
        let tx = self.parts.store.begin().await?;
        let sealed = settings::ensure(&tx, SETTING, &new).await?;
        tx.commit().await?;
        if sealed.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.parts.store.unseal(PLACE, &sealed)?))
    }

    /// Whether this is that secret.
    pub async fn may_set_up(&self, secret: &str) -> Result<bool> {
        let wanted = self.set_up_secret().await?;
        Ok(wanted.is_some_and(|wanted| token::equal(wanted.expose(), secret)))
    }

    /// Adds the first person and their account, and signs them in. It happens once: of
    /// two who come at the same time one is refused.
    ///
    /// Errors: `NotFound` (not the secret, or there is somebody already), `Invalid`.
    pub async fn set_up(&self, first: FirstUser) -> Result<SignedIn> {
        let gone = || Error::not_found("link");
        if !self.may_set_up(first.secret.expose()).await? {
            return Err(gone());
        }
        let checked = Checked::of(NewUser {
            email: first.email,
            name: first.name,
            operator: true,
            password: first.password,
        })
        .await?;
        let tx = self.parts.store.begin().await?;
        if !settings::take(&tx, SETTING).await? || users::exist(&tx).await? {
            return Err(gone());
        }
        let row = checked.insert(&tx).await?;
        let caller = Caller::new(signing_in(&row)).from_address(first.address);
        self.note(
            &tx,
            &caller,
            event::USER_CREATED,
            None,
            json!({ "user_id": row.id, "email": row.email, "operator": true }),
        )
        .await?;
        self.enter_account(&tx, &caller, &first.account, &row)
            .await?;
        let secret = self
            .begin_session(&tx, &row, first.address, &first.agent)
            .await?;
        tx.commit().await?;
        Ok(SignedIn {
            secret,
            user: view(row),
        })
    }
}
