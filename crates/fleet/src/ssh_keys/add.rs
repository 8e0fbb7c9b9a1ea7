//! Making a key, or taking one that somebody has.

use super::SshKey;
use crate::{
    Caller, Error, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
    hosts::checked_label,
    users::exists,
};
use pressroom_base::{Secret, catalog::event};
use pressroom_carrier::ssh::{Key, KeyKind};
use pressroom_store::{self as store, ssh_keys};
use serde_json::json;

/// A key to add.
#[derive(Debug)]
pub struct NewSshKey {
    /// The account's name.
    pub account: String,
    /// What its owner calls it.
    pub label: String,
    /// Where it comes from.
    pub source: KeySource,
}

/// Where a key comes from.
#[derive(Debug)]
pub enum KeySource {
    /// It is made here.
    Generate(KeyKind),
    /// Somebody has it.
    Import {
        /// The private key, in OpenSSH's or PEM format.
        private: Secret<String>,
        /// What opens it; not kept.
        passphrase: Option<Secret<String>>,
    },
}

impl Fleet {
    /// Keeps a key; it is the primary one where the account has none. What is to be put
    /// into `authorized_keys` is in the answer.
    ///
    /// Errors: `NotFound` (account), `Invalid` (label, the key itself), `Conflict` (the
    /// account has that key), `Forbidden`.
    pub async fn add_ssh_key(&self, caller: &Caller, new: NewSshKey) -> Result<SshKey> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let label = checked_label(&new.label)?;
        let comment = format!("pressroom {label}");
        let key = match new.source {
            // An RSA key takes a second or more to find.
            KeySource::Generate(kind) => {
                tokio::task::spawn_blocking(move || Key::generate(kind, &comment))
                    .await
                    .map_err(Error::internal)?
            }
            KeySource::Import {
                private,
                passphrase,
            } => Key::import(private.expose(), passphrase.as_ref()),
        };
        let refused = |error: pressroom_carrier::ssh::KeyError| Error::invalid(error.to_string());
        let key = key.map_err(refused)?;
        let private = key.export().map_err(refused)?;
        let tx = self.parts.store.begin().await?;
        let account = accounts::named(&tx, &new.account).await?;
        let row = ssh_keys::create(
            &tx,
            store::NewSshKey {
                account_id: account.id,
                label,
                kind: match key.kind() {
                    KeyKind::Ed25519 => store::SshKeyKind::Ed25519,
                    KeyKind::Rsa => store::SshKeyKind::Rsa,
                },
                public_line: key.public_line().map_err(refused)?,
                fingerprint: key.fingerprint(),
                private: Secret::new(private.expose().to_string()),
            },
        )
        .await
        .map_err(|error| exists(error, format!("`{}` has that key already", account.name)))?;
        self.note(
            &tx,
            caller,
            event::SSH_KEY_CREATED,
            Some(account.id),
            json!({ "ssh_key_id": row.id, "label": row.label, "fingerprint": row.fingerprint }),
        )
        .await?;
        tx.commit().await?;
        Ok(SshKey::new(row, account.name))
    }
}
