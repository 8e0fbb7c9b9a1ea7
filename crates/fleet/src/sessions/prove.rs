//! Who somebody is, by what they know and have: the one judge of passwords and codes,
//! whichever face they are given to.

use super::home::{home, signing_in};
use crate::{Caller, Error, Fleet, Result, code, users};
use pressroom_base::{Kind, Secret, Timestamp, address::network, catalog::event, password, token};
use pressroom_store::{Tx, UserRow, second_factors, users as people};
use serde_json::json;
use std::{net::IpAddr, time::Duration};

/// How long failures are counted.
const WINDOW: Duration = Duration::from_mins(15);
/// What is said after too many of them.
const TOO_MANY: &str = "too many attempts to sign in";
/// Wrong codes after a right password, from wherever: six digits are soon guessed.
const WRONG_CODES: u32 = 20;

/// What somebody gives to prove who they are.
#[derive(Debug)]
pub struct Proof {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: Secret<String>,
    /// The code of their second factor, or a backup code.
    pub code: Option<Secret<String>>,
    /// Where they are.
    pub address: IpAddr,
}

impl Fleet {
    /// The person. Unknown addresses and wrong passwords are the same `Unauthenticated`,
    /// in the same time; with a second factor a right password alone is
    /// `SECOND_FACTOR_REQUIRED`, and with a wrong or used code `SECOND_FACTOR_WRONG`.
    /// After `failures` in a quarter of an hour, for one address and network: `Limited`.
    pub(crate) async fn prove(&self, proof: Proof, failures: u32) -> Result<UserRow> {
        let email = people::fold_email(&proof.email);
        // Addresses may be of any length, keys may not.
        let network = network(proof.address);
        let key = format!("sign-in {network} {}", token::digest(&email));
        self.not_exhausted(&key, failures).await?;
        let row = people::by_email(&self.parts.store, &email)
            .await?
            .filter(|row| row.disabled_at.is_none());
        let matches = self.matches(row.as_ref(), proof.password).await?;
        let Some(row) = row.filter(|_| matches) else {
            self.failed(&key, failures).await?;
            return Err(
                Error::new(Kind::Unauthenticated, "wrong address or password")
                    .with_code(code::WRONG_LOGIN),
            );
        };
        // Guesses that were under way together with this one count as well.
        self.not_exhausted(&key, failures).await?;
        self.prove_second_factor(&row, proof.code, &key, failures, proof.address)
            .await?;
        Ok(row)
    }

    async fn matches(&self, row: Option<&UserRow>, given: Secret<String>) -> Result<bool> {
        let hash = row.map(|row| row.password_hash.clone());
        // Each takes 19 MiB while it lasts.
        let _permit = self.verifying.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            // An unknown person costs the same work as a known one.
            let decoy = password::decoy();
            password::verify(&given, hash.as_deref().unwrap_or(decoy)) && hash.is_some()
        })
        .await
        .map_err(Error::internal)
    }

    /// Refuses somebody whose password was changed, or who was shut out, since they were
    /// proved: what is opened in `tx` would outlive that.
    pub(crate) async fn refuse_changed(&self, tx: &Tx, row: &UserRow) -> Result<()> {
        if people::is_unchanged(tx, row).await? {
            return Ok(());
        }
        Err(Error::new(
            Kind::Unauthenticated,
            "the password was changed while you signed in",
        ))
    }

    async fn prove_second_factor(
        &self,
        row: &UserRow,
        given: Option<Secret<String>>,
        key: &str,
        failures: u32,
        address: IpAddr,
    ) -> Result<()> {
        let store = &self.parts.store;
        let Some(factor) = second_factors::of(store, row.id)
            .await?
            .filter(|factor| factor.enabled_at.is_some())
        else {
            return Ok(());
        };
        let given = given
            .map(|code| code.into_inner().replace([' ', '-'], "").to_lowercase())
            .filter(|code| !code.is_empty());
        let Some(given) = given else {
            return Err(Error::new(
                Kind::Unauthenticated,
                "a code of the second factor is needed as well",
            )
            .with_code(code::SECOND_FACTOR_REQUIRED));
        };
        let codes = format!("second-factor {}", row.id);
        self.not_exhausted(&codes, WRONG_CODES).await?;
        let secret = second_factors::secret(store, &factor)?;
        let tx = store.begin().await?;
        let now = tx.now().await?;
        let step = users::totp(&secret, &row.email)?.check(&given, unix(now));
        let fits = if let Some(step) = step {
            let step = i64::try_from(step).unwrap_or(i64::MAX);
            second_factors::use_step(&tx, row.id, step).await?
        } else {
            self.burn(&tx, row, &given, address).await?
        };
        if fits {
            tx.commit().await?;
            return Ok(());
        }
        tx.rollback().await?;
        self.failed(&codes, WRONG_CODES).await?;
        self.failed(key, failures).await?;
        Err(Error::new(
            Kind::Unauthenticated,
            "the code is wrong, or was used before",
        )
        .with_code(code::SECOND_FACTOR_WRONG))
    }

    /// Uses up a backup code, and says so in the log; `false` when there is none such.
    async fn burn(&self, tx: &Tx, row: &UserRow, code: &str, address: IpAddr) -> Result<bool> {
        if !second_factors::burn(tx, row.id, code).await? {
            return Ok(false);
        }
        let left = second_factors::backup_codes_left(tx, row.id).await?;
        let caller = Caller::new(signing_in(row)).from_address(address);
        self.note_about(
            tx,
            &caller,
            event::USER_BACKUP_CODE_USED,
            home(tx, row.id).await?,
            Some(("user", row.short_id.clone())),
            json!({ "left": left }),
        )
        .await?;
        Ok(true)
    }

    async fn not_exhausted(&self, key: &str, failures: u32) -> Result<()> {
        let rate = self.peek_rate(key, failures, WINDOW).await?;
        rate.within(TOO_MANY, WINDOW)
    }

    /// Counts a failure; one too many is told as such, so that of many guesses at once no
    /// more are answered than of as many in turn.
    async fn failed(&self, key: &str, failures: u32) -> Result<()> {
        let rate = self.hit_rate(key, failures, WINDOW).await?;
        rate.within(TOO_MANY, WINDOW)
    }
}

fn unix(at: Timestamp) -> u64 {
    u64::try_from(at.seconds()).unwrap_or(0)
}
