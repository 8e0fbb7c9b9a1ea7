//! Forgetting a key, and choosing the one that opens hosts that name none.

use super::SshKey;
use crate::{
    Caller, Error, Fleet, Result, accounts,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::{catalog::event, id::SshKeyId};
use pressroom_store::{self as store, SshKeyRow, Tx, ssh_keys};
use serde_json::json;

impl Fleet {
    /// Forgets a key; what is in hosts' `authorized_keys` stays there.
    ///
    /// Errors: `NotFound`, `Conflict` (a host is opened with it), `Forbidden`.
    pub async fn remove_ssh_key(&self, caller: &Caller, id: SshKeyId) -> Result<SshKey> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let tx = self.parts.store.begin().await?;
        let row = key(&tx, id).await?;
        ssh_keys::remove(&tx, id)
            .await
            .map_err(|error| match error {
                store::Error::InUse { .. } => Error::conflict("a host is opened with that key")
                    .with_hint("remove the host first, or give it another key"),
                other => other.into(),
            })?;
        self.note(
            &tx,
            caller,
            event::SSH_KEY_REMOVED,
            Some(row.account_id),
            json!({ "ssh_key_id": id, "label": row.label, "fingerprint": row.fingerprint }),
        )
        .await?;
        let account = accounts::name_of(&tx, row.account_id).await?;
        tx.commit().await?;
        Ok(SshKey::new(row, account))
    }

    /// Has hosts of its account that name no key opened with this one.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn prefer_ssh_key(&self, caller: &Caller, id: SshKeyId) -> Result<SshKey> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let tx = self.parts.store.begin().await?;
        let before = key(&tx, id).await?;
        if !before.is_primary {
            ssh_keys::make_primary(&tx, id).await?;
            self.note(
                &tx,
                caller,
                event::SSH_KEY_PREFERRED,
                Some(before.account_id),
                json!({ "ssh_key_id": id, "label": before.label, "fingerprint": before.fingerprint }),
            )
            .await?;
        }
        let row = key(&tx, id).await?;
        let account = accounts::name_of(&tx, row.account_id).await?;
        tx.commit().await?;
        Ok(SshKey::new(row, account))
    }
}

async fn key(tx: &Tx, id: SshKeyId) -> Result<SshKeyRow> {
    let found = ssh_keys::get(tx, id).await?;
    found
        .ok_or_else(|| Error::not_found("SSH key").with_hint("`pressroom key list` shows them all"))
}
