//! Another password, by a link that only whoever reads a person's mail has.
//!
//! Who asks is answered before anybody looks whether there is such a person: what was typed
//! is written down, and whoever sends mail reads it. So the answer and its time are the same
//! for everybody.

use super::{add::hash, show::named, view};
use crate::{
    Caller, Error, Fleet, Principal, Result,
    authorize::{Action, Resource, authorize},
    mail::Passing,
    sessions::signing_in,
    views::User,
};
use pressroom_base::{Kind, Secret, Timestamp, address::network, catalog::event, token};
use pressroom_store::{PasswordResetRow, Tx, UserRow, password_resets, users};
use std::{net::IpAddr, time::Duration};

/// How long a link is good.
const LASTS: Duration = Duration::from_hours(1);
/// How long what was asked is worth answering.
const FRESH: Duration = Duration::from_hours(1);
/// How long asking is counted.
const WINDOW: Duration = Duration::from_hours(1);
/// How often for one address.
const FOR_ADDRESS: u32 = 3;
/// How often from one network.
const FROM_NETWORK: u32 = 20;
/// What was asked, read in one transaction.
const BATCH: u64 = 20;
/// No address is longer.
const LONGEST: usize = 320;

/// A link that an operator asked for.
#[derive(Debug)]
pub struct IssuedReset {
    /// Whose password it changes.
    pub user: User,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// The link, to be passed on by hand; `None` where it goes to them by mail.
    pub link: Option<Secret<String>>,
}

/// A password that somebody gives themselves behind a link.
#[derive(Debug)]
pub struct NewPassword {
    /// Of the link.
    pub secret: Secret<String>,
    /// At least eight characters.
    pub password: Secret<String>,
    /// The browser's address.
    pub address: IpAddr,
}

impl Fleet {
    /// Has whoever is at this address be sent a link, if anybody is. Nobody learns that here.
    ///
    /// Errors: `Limited`, after three for one address or twenty from one network in an hour;
    /// `Unsupported` where there is no server for mail.
    pub async fn ask_password_reset(&self, email: &str, address: IpAddr) -> Result<()> {
        if !self.sends_mail() {
            return Err(Error::new(
                Kind::Unsupported,
                "no mail is sent from here, so no link can be",
            )
            .with_hint("an operator makes one with `pressroom user reset`"));
        }
        let email = users::fold_email(email);
        let from = format!("reset from {}", network(address));
        let of = format!("reset of {}", token::digest(&email));
        for (key, limit) in [(from, FROM_NETWORK), (of, FOR_ADDRESS)] {
            let rate = self.hit_rate(&key, limit, WINDOW).await?;
            rate.within("too many links were asked for", WINDOW)?;
        }
        if email.len() > LONGEST || !email.contains('@') {
            return Ok(());
        }
        let tx = self.parts.store.begin().await?;
        password_resets::ask(&tx, &email, Some(address.to_string())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes the mails to those who asked and are known; says how much was read.
    pub(crate) async fn write_resets(&self) -> Result<usize> {
        if !password_resets::is_asked(&self.parts.store).await? {
            return Ok(0);
        }
        let tx = self.parts.store.begin().await?;
        let asked = password_resets::take_asked(&tx, BATCH).await?;
        let fresh_from = tx.now().await?.minus(FRESH);
        for request in &asked {
            let user = users::by_email(&tx, &request.email).await?;
            let Some(user) = user.filter(|user| user.disabled_at.is_none()) else {
                continue;
            };
            if request.created_at < fresh_from || !self.sends_mail() {
                continue;
            }
            let address = request.address.as_ref().and_then(|text| text.parse().ok());
            let mut caller = Caller::new(Principal::nobody());
            caller.address = address;
            let (reset, secret) = self.new_reset(&tx, &caller, &user).await?;
            self.mail_reset(&tx, &user, &reset, &secret).await?;
        }
        tx.commit().await?;
        Ok(asked.len())
    }

    /// Makes a link for a person, whom it goes to by mail where that is wanted and there is a
    /// server for it.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Conflict` (they are shut out).
    pub async fn issue_password_reset(
        &self,
        caller: &Caller,
        email: &str,
        passing: Passing,
    ) -> Result<IssuedReset> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let tx = self.parts.store.begin().await?;
        let row = named(&tx, email).await?;
        if row.disabled_at.is_some() {
            return Err(Error::conflict(format!("`{}` is shut out", row.email))
                .with_hint("`pressroom user enable` lets them in again"));
        }
        let (reset, secret) = self.new_reset(&tx, caller, &row).await?;
        let by_mail = passing == Passing::ByMail && self.sends_mail();
        if by_mail {
            self.mail_reset(&tx, &row, &reset, &secret).await?;
        }
        tx.commit().await?;
        let link = Secret::new(self.link("reset", secret.expose()));
        Ok(IssuedReset {
            user: view(row),
            expires_at: reset.expires_at,
            link: (!by_mail).then_some(link),
        })
    }

    /// Whose password a link changes, while it is good.
    ///
    /// Errors: `NotFound`, whatever is wrong with it.
    pub async fn password_reset(&self, secret: &str) -> Result<User> {
        let store = &self.parts.store;
        let reset = password_resets::by_secret(store, secret)
            .await?
            .ok_or_else(gone)?;
        let user = users::get(store, reset.user_id).await?;
        let user = user.filter(|user| user.disabled_at.is_none());
        Ok(view(user.ok_or_else(gone)?))
    }

    /// Gives a person the password they chose and ends what they had signed in to, as
    /// [`Fleet::set_user_password`]. The link and all others of theirs are good no more. They
    /// are not signed in by it: a second factor is asked for as ever.
    ///
    /// Errors: `NotFound` (the link), `Invalid` (too short).
    pub async fn reset_password(&self, new: NewPassword) -> Result<User> {
        // Before anything is said of what was typed: a stranger learns nothing here.
        self.password_reset(new.secret.expose()).await?;
        let hash = hash(new.password).await?;
        let tx = self.parts.store.begin().await?;
        let reset = password_resets::take(&tx, new.secret.expose())
            .await?
            .ok_or_else(gone)?;
        let row = users::get(&tx, reset.user_id).await?.ok_or_else(gone)?;
        // Locked until the end: nobody shuts them out meanwhile.
        if !users::is_unchanged(&tx, &row).await? {
            return Err(gone());
        }
        let caller = Caller::new(signing_in(&row)).from_address(new.address);
        self.change_password(&tx, &caller, &row, &hash).await?;
        tx.commit().await?;
        Ok(view(row))
    }

    async fn new_reset(
        &self,
        tx: &Tx,
        caller: &Caller,
        user: &UserRow,
    ) -> Result<(PasswordResetRow, Secret<String>)> {
        let secret = Secret::new(token::hex(64));
        let digest = token::digest(secret.expose());
        let reset = password_resets::create(tx, user.id, digest, LASTS).await?;
        self.note_user(tx, caller, user, event::USER_PASSWORD_RESET_REQUESTED)
            .await?;
        Ok((reset, secret))
    }
}

fn gone() -> Error {
    Error::not_found("link")
}
