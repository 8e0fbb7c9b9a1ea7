//! Codes that signing in takes besides the password: proposed, then confirmed with the
//! first of them, so that nobody is locked out by an app that shows others.

use super::totp::totp;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
    sessions::home,
};
use pressroom_base::{Kind, Secret, Timestamp, catalog::event, token};
use pressroom_store::{Tx, UserRow, second_factors, users};
use serde::Serialize;
use serde_json::json;

/// Bytes of a secret, as RFC 4226 wants.
const SECRET: usize = 20;
/// Backup codes that somebody gets.
const CODES: usize = 10;
/// Characters of one: 78 bits.
const CODE: usize = 16;
/// None of these is taken for another.
const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// A secret to put into an app.
#[derive(Debug)]
pub struct Proposal {
    /// In base 32, to be typed.
    pub secret: Secret<String>,
    /// The same as an `otpauth:` address, to be shown as a QR code.
    pub uri: Secret<String>,
}

/// Codes to write down. They are shown once, and each is good once.
#[derive(Debug)]
pub struct BackupCodes(pub Vec<Secret<String>>);

/// How somebody's second factor stands.
#[derive(Debug, Clone, Serialize)]
pub struct SecondFactor {
    /// `off`, `proposed` or `on`.
    pub state: &'static str,
    /// Since when it is asked for.
    pub enabled_at: Option<Timestamp>,
    /// How many backup codes are left.
    pub backup_codes_left: u64,
}

impl Fleet {
    /// Makes a secret for a person, which is asked for once a code of it was confirmed.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Conflict` (it is on already).
    pub async fn propose_second_factor(&self, caller: &Caller, email: &str) -> Result<Proposal> {
        let tx = self.parts.store.begin().await?;
        let user = owner(&tx, caller, email).await?;
        if is_on(&tx, &user).await? {
            return Err(Error::conflict("two-factor is on already")
                .with_hint("`pressroom user two-factor disable` turns it off first"));
        }
        let mut bytes = [0; SECRET];
        token::fill(&mut bytes);
        let text = Secret::new(totp_rs::Secret::from(bytes).to_base32());
        let uri = totp(&text, &user.email)?
            .to_url()
            .map_err(Error::internal)?;
        second_factors::propose(&tx, user.id, &text).await?;
        tx.commit().await?;
        Ok(Proposal {
            secret: text,
            uri: Secret::new(uri),
        })
    }

    /// Has a person's sign-in ask for a code from now on, if this one is right.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Conflict` (nothing was proposed, or it is on
    /// already), `Invalid` with `SECOND_FACTOR_WRONG`.
    pub async fn confirm_second_factor(
        &self,
        caller: &Caller,
        email: &str,
        given: &str,
    ) -> Result<BackupCodes> {
        let tx = self.parts.store.begin().await?;
        let user = owner(&tx, caller, email).await?;
        let factor = second_factors::of(&tx, user.id).await?.ok_or_else(|| {
            Error::conflict("no secret was made yet")
                .with_hint("`pressroom user two-factor enable` makes one")
        })?;
        if factor.enabled_at.is_some() {
            return Err(Error::conflict("two-factor is on already"));
        }
        let secret = second_factors::secret(&self.parts.store, &factor)?;
        let now = u64::try_from(tx.now().await?.seconds()).unwrap_or(0);
        let step = totp(&secret, &user.email)?
            .check(given.trim(), now)
            .ok_or_else(|| {
                Error::invalid("the code is not right")
                    .with_code(code::SECOND_FACTOR_WRONG)
                    .with_hint(
                        "give the one that the app shows now, and see that this machine's \
                         clock is right",
                    )
            })?;
        second_factors::use_step(&tx, user.id, i64::try_from(step).unwrap_or(i64::MAX)).await?;
        second_factors::enable(&tx, user.id).await?;
        let codes = new_codes(&tx, &user).await?;
        self.note_factor(&tx, caller, &user, event::USER_TWO_FACTOR_ENABLED)
            .await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// Has a person's sign-in ask for a password alone; `false` when it does already.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn disable_second_factor(&self, caller: &Caller, email: &str) -> Result<bool> {
        let tx = self.parts.store.begin().await?;
        let user = owner(&tx, caller, email).await?;
        let was_on = is_on(&tx, &user).await?;
        second_factors::remove(&tx, user.id).await?;
        if was_on {
            self.note_factor(&tx, caller, &user, event::USER_TWO_FACTOR_DISABLED)
                .await?;
        }
        tx.commit().await?;
        Ok(was_on)
    }

    /// Gives a person other backup codes; the old ones are good no more.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Conflict` (two-factor is off).
    pub async fn replace_backup_codes(&self, caller: &Caller, email: &str) -> Result<BackupCodes> {
        let tx = self.parts.store.begin().await?;
        let user = owner(&tx, caller, email).await?;
        if !is_on(&tx, &user).await? {
            return Err(Error::conflict("two-factor is off")
                .with_hint("`pressroom user two-factor enable` begins it"));
        }
        let codes = new_codes(&tx, &user).await?;
        self.note_factor(&tx, caller, &user, event::USER_BACKUP_CODES_REPLACED)
            .await?;
        tx.commit().await?;
        Ok(codes)
    }

    /// How a person's second factor stands.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn show_second_factor(&self, caller: &Caller, email: &str) -> Result<SecondFactor> {
        let tx = self.parts.store.begin().await?;
        let user = owner(&tx, caller, email).await?;
        let factor = second_factors::of(&tx, user.id).await?;
        let left = second_factors::backup_codes_left(&tx, user.id).await?;
        let enabled_at = factor.as_ref().and_then(|factor| factor.enabled_at);
        Ok(SecondFactor {
            state: match (&factor, enabled_at) {
                (None, _) => "off",
                (Some(_), None) => "proposed",
                (Some(_), Some(_)) => "on",
            },
            enabled_at,
            backup_codes_left: left,
        })
    }

    async fn note_factor(
        &self,
        tx: &Tx,
        caller: &Caller,
        user: &UserRow,
        event: &'static str,
    ) -> Result<()> {
        self.note_about(
            tx,
            caller,
            event,
            home(tx, user.id).await?,
            Some(("user", user.short_id.clone())),
            json!({ "user_id": user.id, "user": user.email }),
        )
        .await
    }
}

/// The person whose second factor it is: the caller, or anybody for an operator.
async fn owner(tx: &Tx, caller: &Caller, email: &str) -> Result<UserRow> {
    let missing = || Error::not_found("user").with_hint("`pressroom user add` adds a person");
    let user = users::by_email(tx, email).await?;
    let resource = user
        .as_ref()
        .map_or(Resource::Installation, |user| Resource::OfPerson(user.id));
    match authorize(&caller.principal, Action::SecondFactor, resource) {
        Ok(()) => user.ok_or_else(missing),
        Err(error) if user.is_none() && error.code() != Some(code::OUT_OF_SCOPE) => Err(missing()),
        Err(error) if error.kind() == Kind::NotFound => Err(missing()),
        Err(error) => Err(error),
    }
}

async fn is_on(tx: &Tx, user: &UserRow) -> Result<bool> {
    let factor = second_factors::of(tx, user.id).await?;
    Ok(factor.is_some_and(|factor| factor.enabled_at.is_some()))
}

async fn new_codes(tx: &Tx, user: &UserRow) -> Result<BackupCodes> {
    let codes: Vec<String> = (0..CODES)
        .map(|_| token::from_alphabet(ALPHABET, CODE))
        .collect();
    second_factors::set_backup_codes(tx, user.id, &codes).await?;
    let shown = codes.iter().map(|code| Secret::new(in_fours(code)));
    Ok(BackupCodes(shown.collect()))
}

/// A code as it is read from paper; blanks and dashes mean nothing when it is given.
fn in_fours(code: &str) -> String {
    let fours: Vec<&str> = (0..code.len())
        .step_by(4)
        .map(|at| &code[at..code.len().min(at + 4)])
        .collect();
    fours.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_on_paper_are_in_fours() {
        assert_eq!(in_fours("abcdefgh"), "abcd-efgh");
    }
}
